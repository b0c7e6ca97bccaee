#include "kube/reflector.h"

#include <utility>

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

/// Moves the items of one page behind `objects`. They lack kind and apiVersion, which the list has.
void take_items(json::object& page, std::vector<json::object>& objects) {
  auto* items = page.if_contains("items");
  if (items == nullptr || !items->is_array()) return;
  for (auto& item : items->get_array()) {
    if (item.is_object()) objects.push_back(std::move(item.get_object()));
  }
}

}  // namespace

Reflector::Reflector(Client& client, Api api, WatchHandler& handler, WatchObserver* observer,
                     Options options)
    : client_(client),
      api_(std::move(api)),
      handler_(handler),
      observer_(observer),
      options_(std::move(options)),
      state_(options_.backoff) {}

async::Task<void> Reflector::run() {
  for (;;) {
    auto& clock = client_.clock();
    CO_TRY_VOID(co_await clock.sleep_for(state_.pause()));
    const bool listing = state_.step() == WatchState::Step::list;
    const auto done = listing ? co_await list() : co_await watch();
    if (done) continue;
    if (done.error().is(Code::cancelled)) co_return base::fail(done.error());
    state_.failed(done.error(), clock.now());
    LOG_DEBUG("list or watch failed", {"resource", api_.resource().plural},
              {"step", listing ? "list" : "watch"}, {"error", done.error().message});
  }
}

void Reflector::report_list(const Error* error, async::TimePoint began) {
  if (observer_ != nullptr) observer_->listed(error, client_.clock().now() - began);
}

void Reflector::report_watch(const Error* error, async::TimePoint began) {
  if (observer_ != nullptr) observer_->watched(error, client_.clock().now() - began);
}

// Pages belong together only while their continue token lives; a 410 on one starts the list anew.
Task<void> Reflector::list() {
  std::vector<json::object> objects;
  std::string version;
  ListOptions options{.label_selector = options_.label_selector,
                      .field_selector = options_.field_selector,
                      .resource_version = state_.resource_version(),
                      .limit = options_.page};
  do {
    const auto began = client_.clock().now();
    auto answer = co_await client_.send(api_.list(options));
    report_list(answer ? nullptr : &answer.error(), began);
    if (!answer) co_return std::unexpected(std::move(answer).error());
    auto* page = answer->if_object();
    if (page == nullptr) co_return std::unexpected(Error(Code::io, "a list is not an object"));
    take_items(*page, objects);
    const auto& metadata = object_at(*page, "metadata");
    if (version.empty()) version = text_at(metadata, "resourceVersion");
    options.continue_token = text_at(metadata, "continue");
    options.resource_version.clear();
  } while (!options.continue_token.empty());
  state_.listed(version);
  handler_.replace(std::move(objects));
  synced_ = true;
  co_return Result<void>{};
}

Task<void> Reflector::watch() {
  const auto due = random_between(options_.min_watch, options_.max_watch);
  const WatchOptions options{.label_selector = options_.label_selector,
                             .field_selector = options_.field_selector,
                             .resource_version = state_.resource_version(),
                             .timeout = due};
  const auto began = client_.clock().now();
  auto response = co_await client_.open(api_.watch(options));
  report_watch(response ? nullptr : &response.error(), began);
  if (!response) co_return std::unexpected(std::move(response).error());
  CO_TRY_VOID(co_await follow(std::move(*response), due));
  state_.ended(client_.clock().now() - began);
  co_return Result<void>{};
}

// The server ends the watch when it is due; one that goes on longer is half-dead.
Task<void> Reflector::follow(http::ClientResponse response, std::chrono::seconds due) {
  auto& clock = client_.clock();
  const auto deadline = clock.now() + due + options_.overdue_margin;
  WatchDecoder decoder;
  for (;;) {
    auto part = co_await async::with_timeout(
        clock, deadline - clock.now(), "watch of " + api_.resource().plural, response.read_part());
    if (!part) co_return std::unexpected(Error(std::move(part).error()));
    if (part->empty()) co_return Result<void>{};
    decoder.feed(*part);
    for (;;) {
      CO_TRY(auto event, decoder.next());
      if (!event) break;
      CO_TRY_VOID(take(std::move(*event)));
    }
  }
}

Result<void> Reflector::take(WatchEvent event) {
  using Type = WatchEvent::Type;
  if (event.type == Type::error) return std::unexpected(error_of_status(event.object));
  const std::string version(resource_version_of(event.object));
  if (event.type == Type::deleted) {
    handler_.remove(event.object);
  } else if (event.type != Type::bookmark) {
    handler_.apply(std::move(event.object));
  }
  state_.event(version);
  return {};
}

}  // namespace kube
