#include "kube/reflector.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "async/timeout.h"
#include "base/id.h"
#include "base/log.h"

namespace kube {

using base::Code;

namespace {

std::chrono::seconds random_between(std::chrono::seconds low, std::chrono::seconds high) {
  const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>((high - low).count(), 0)) + 1;
  return low + std::chrono::seconds(static_cast<std::int64_t>(base::random_u64() % span));
}

/// Whether this ends the state at the beginning of a watch.
bool ends_state(const WatchEvent& event) {
  const auto& metadata = object_at(event.object, "metadata");
  return event.type == WatchEvent::Type::bookmark &&
         text_at(object_at(metadata, "annotations"), "k8s.io/initial-events-end") == "true";
}

std::string key_of(const json::object& object) {
  return fmt::format("{}/{}", namespace_of(object), name_of(object));
}

}  // namespace

Reflector::Reflector(Client& client, Api api, WatchHandler& handler, WatchObserver* observer,
                     Options options)
    : client_(client),
      api_(std::move(api)),
      handler_(handler),
      observer_(observer),
      options_(std::move(options)),
      state_(options_.backoff, options_.stream_state) {}

/// The events of one open watch.
class Reflector::Events {
 public:
  Events(Reflector& owner, http::ClientResponse response, std::chrono::seconds due)
      : owner_(owner),
        response_(std::move(response)),
        // The server ends the watch when it is due; one that goes on longer is half-dead.
        deadline_(owner.client_.clock().now() + due + owner.options_.overdue_margin) {}

  /// The next event; nothing at the orderly end. Code::timeout when none comes before `limit` or
  /// the watch is overdue. An event of type ERROR is the error that it stands for.
  Task<std::optional<WatchEvent>> next(async::TimePoint limit = async::TimePoint::max()) {
    auto& clock = owner_.client_.clock();
    for (;;) {
      CO_TRY(auto event, decoder_.next());
      if (event && event->type == WatchEvent::Type::error)
        co_return std::unexpected(error_of_status(event->object));
      if (event) co_return event;
      const auto left = std::min(limit, deadline_) - clock.now();
      auto part = co_await async::with_timeout(
          clock, left, "watch of " + owner_.api_.resource().plural, response_.read_part());
      if (!part) co_return std::unexpected(Error(std::move(part).error()));
      if (part->empty()) co_return std::nullopt;
      decoder_.feed(*part);
    }
  }

 private:
  Reflector& owner_;
  http::ClientResponse response_;
  async::TimePoint deadline_;
  WatchDecoder decoder_;
};

async::Task<void> Reflector::run() {
  for (;;) {
    auto& clock = client_.clock();
    CO_TRY_VOID(co_await clock.sleep_for(state_.pause()));
    const auto done = co_await step_until_replaced();
    if (done) continue;
    if (done.error().is(Code::cancelled)) co_return base::fail(done.error());
    state_.failed(done.error(), clock.now());
    // A missing right does not mend itself, and whoever waits for the first state wants to know.
    const bool matters = done.error().is_forbidden() || !synced_;
    const auto level = matters ? base::log::Level::warn : base::log::Level::debug;
    BASE_LOG(level, "list or watch failed", {"resource", api_.resource().plural},
             {"error", done.error().message});
  }
}

Task<void> Reflector::step_until_replaced() {
  using namespace async::asio::experimental::awaitable_operators;
  auto outcome = co_await (take_step() || client_.replaced());
  if (outcome.index() == 0) co_return std::get<0>(std::move(outcome));
  CO_TRY_VOID(std::get<1>(std::move(outcome)));
  state_.restart();
  co_return Result<void>{};
}

Task<void> Reflector::take_step() {
  switch (state_.step()) {
    case WatchState::Step::list:
      return list();
    case WatchState::Step::stream:
      return stream();
    case WatchState::Step::watch:
      return watch();
  }
  std::unreachable();
}

void Reflector::report_list(const Error* error, async::Duration took) {
  if (observer_ != nullptr) observer_->listed(error, took);
}

Task<void> Reflector::list() {
  const ListOptions options{.label_selector = options_.label_selector,
                            .field_selector = options_.field_selector,
                            .resource_version = state_.resource_version(),
                            .limit = options_.page};
  const PageObserver observer = [this](const Error* error, async::Duration took) {
    report_list(error, took);
  };
  CO_TRY(auto list, co_await list_all(client_, api_, options, observer));
  state_.listed(list.resource_version);
  handler_.replace(std::move(list.objects));
  synced_ = true;
  co_return Result<void>{};
}

Task<Reflector::Events> Reflector::open(bool with_state) {
  const auto due = random_between(options_.min_watch, options_.max_watch);
  const WatchOptions options{.label_selector = options_.label_selector,
                             .field_selector = options_.field_selector,
                             .resource_version = state_.resource_version(),
                             .resource_version_match = with_state ? "NotOlderThan" : "",
                             .send_initial_events = with_state,
                             .timeout = due};
  const auto began = client_.clock().now();
  auto response = co_await client_.open(api_.watch(options));
  const auto took = client_.clock().now() - began;
  if (observer_ != nullptr) observer_->watched(response ? nullptr : &response.error(), took);
  if (!response) co_return std::unexpected(std::move(response).error());
  co_return Events(*this, std::move(*response), due);
}

Task<void> Reflector::watch() {
  const auto began = client_.clock().now();
  CO_TRY(auto events, co_await open(false));
  co_return co_await follow(std::move(events), began);
}

// Servers say where a streamed state ends once a second or so; what fits on a page is there at
// once.
Task<bool> Reflector::list_if_small() {
  const auto began = client_.clock().now();
  const ListOptions options{.label_selector = options_.label_selector,
                            .field_selector = options_.field_selector,
                            .limit = options_.small};
  CO_TRY(auto page, co_await client_.send_for_object(api_.list(options)));
  const auto metadata = object_at(page, "metadata");
  if (!text_at(metadata, "continue").empty()) co_return false;
  report_list(nullptr, client_.clock().now() - began);
  std::vector<json::object> objects;
  take_items(page, objects);
  state_.listed(text_at(metadata, "resourceVersion"));
  handler_.replace(std::move(objects));
  synced_ = true;
  co_return true;
}

// Servers that do not know the question refuse one part of it or another, as invalid.
Task<void> Reflector::stream() {
  if (options_.small > 0) {
    CO_TRY(const bool listed, co_await list_if_small());
    if (listed) co_return Result<void>{};
  }
  const auto began = client_.clock().now();
  auto events = co_await open(true);
  if (!events && !events.error().is_invalid()) co_return std::unexpected(std::move(events).error());
  Result<bool> streamed = false;
  if (events) streamed = co_await receive_state(*events);
  if (!streamed) co_return std::unexpected(std::move(streamed).error());
  if (!*streamed) {
    LOG_DEBUG("server does not stream the state, listing it", {"resource", api_.resource().plural});
    state_.stream_refused();
    co_return Result<void>{};
  }
  report_list(nullptr, client_.clock().now() - began);
  co_return co_await follow(std::move(*events), began);
}

// Changes may come in between the objects of the state. False when the server seems not to know
// that it was asked for one.
Task<bool> Reflector::receive_state(Events& events) {
  std::map<std::string, json::object> objects;
  for (;;) {
    auto event = co_await events.next(client_.clock().now() + options_.state_limit);
    if (!event && event.error().is(Code::timeout) && !event.error().answered()) co_return false;
    if (!event) co_return std::unexpected(std::move(event).error());
    if (!*event) co_return std::unexpected(Error(Code::closed, "the watch ended within the state"));
    auto& object = (*event)->object;
    if (ends_state(**event)) {
      complete(resource_version_of(object), std::move(objects));
      co_return true;
    }
    if ((*event)->type == WatchEvent::Type::deleted) {
      objects.erase(key_of(object));
    } else if ((*event)->type != WatchEvent::Type::bookmark) {
      auto key = key_of(object);
      objects.insert_or_assign(std::move(key), std::move(object));
    }
  }
}

void Reflector::complete(std::string_view version, std::map<std::string, json::object> objects) {
  std::vector<json::object> state;
  state.reserve(objects.size());
  for (auto& [key, object] : objects) state.push_back(std::move(object));
  state_.listed(version);
  handler_.replace(std::move(state));
  synced_ = true;
}

Task<void> Reflector::follow(Events events, async::TimePoint began) {
  for (;;) {
    CO_TRY(auto event, co_await events.next());
    if (!event) break;
    take(std::move(*event));
  }
  state_.ended(client_.clock().now() - began);
  co_return Result<void>{};
}

void Reflector::take(WatchEvent event) {
  using Type = WatchEvent::Type;
  const std::string version(resource_version_of(event.object));
  if (event.type == Type::deleted) {
    handler_.remove(event.object);
  } else if (event.type != Type::bookmark) {
    handler_.apply(std::move(event.object));
  }
  state_.event(version);
}

}  // namespace kube
