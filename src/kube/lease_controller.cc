#include "kube/lease_controller.h"

#include <utility>

#include "async/timeout.h"
#include "base/log.h"

namespace kube {

using base::Code;

namespace {

constexpr int kMaxUpdates = 5;
constexpr async::Backoff::Options kEnsureBackoff{.initial = std::chrono::milliseconds(200),
                                                 .cap = std::chrono::seconds(7),
                                                 .factor = 2,
                                                 .jitter = 0.1};

/// The object of an answer; the API server sends nothing else here.
Result<json::object> object_of(Result<json::value> answer) {
  if (!answer) return std::unexpected(std::move(answer).error());
  if (auto* object = answer->if_object()) return std::move(*object);
  return std::unexpected(Error(Code::io, "the API server's answer is not an object"));
}

}  // namespace

LeaseController::LeaseController(async::Loop& loop, Client& client, Options options,
                                 LeaseObserver* observer)
    : client_(client),
      options_(std::move(options)),
      observer_(observer),
      api_(lease_api(options_.claim.in_namespace)),
      tasks_(loop.get_executor()) {}

void LeaseController::start() {
  tasks_.spawn("renew lease", keep_renewing());
  tasks_.spawn("collect leases", keep_collecting());
}

// Nobody renews any more when the lease is deleted, so that it cannot come back.
async::Awaitable<void> LeaseController::stop() {
  tasks_.cancel();
  co_await tasks_.join();
  const auto deleted = co_await async::with_timeout(client_.clock(), options_.delete_limit,
                                                    "delete own lease", delete_own());
  if (!deleted)
    LOG_WARN("own lease stays until it expires", {"lease", options_.claim.name},
             {"error", deleted.error()});
}

async::Task<void> LeaseController::delete_own() {
  const auto deleted = co_await client_.send(api_.remove(options_.claim.name));
  if (!deleted && !deleted.error().is_not_found()) co_return base::fail(deleted.error());
  co_return base::Result<void>{};
}

async::Task<void> LeaseController::keep_renewing() {
  for (;;) {
    const auto renewed = co_await renew();
    if (!renewed) {
      if (renewed.error().is(Code::cancelled)) co_return base::fail(renewed.error());
      LOG_WARN("cannot renew own lease", {"lease", options_.claim.name},
               {"error", renewed.error().message});
    }
    CO_TRY_VOID(co_await client_.clock().sleep_for(
        async::jittered(options_.renew_period, options_.renew_jitter)));
  }
}

async::Task<void> LeaseController::keep_collecting() {
  for (;;) {
    const auto collected = co_await collect();
    if (!collected) {
      if (collected.error().is(Code::cancelled)) co_return base::fail(collected.error());
      LOG_WARN("cannot collect expired leases", {"error", collected.error().message});
    }
    CO_TRY_VOID(co_await client_.clock().sleep_for(options_.collect_period));
  }
}

Task<void> LeaseController::renew() {
  if (latest_) {
    const auto updated = co_await update();
    if (updated || updated.error().is(Code::cancelled)) co_return updated;
    LOG_DEBUG("lease update failed, reading it anew", {"error", updated.error().message});
  }
  CO_TRY(const bool created, co_await ensure());
  if (created) co_return Result<void>{};
  co_return co_await update();
}

// Gets or creates the lease, for as long as it takes. True when it was created, and so is fresh.
Task<bool> LeaseController::ensure() {
  async::Backoff backoff(kEnsureBackoff);
  for (;;) {
    auto done = co_await get_or_create();
    if (done || done.error().is(Code::cancelled)) co_return done;
    const auto pause = backoff.next();
    LOG_WARN("cannot ensure own lease exists, will retry", {"lease", options_.claim.name},
             {"error", done.error().message});
    CO_TRY_VOID(co_await client_.clock().sleep_for(pause));
  }
}

Task<bool> LeaseController::get_or_create() {
  auto found = object_of(co_await client_.send(api_.get(options_.claim.name)));
  const bool missing = !found && found.error().is_not_found();
  if (!found && !missing) co_return std::unexpected(std::move(found).error());
  if (missing) {
    auto lease = new_lease(options_.claim, client_.clock().wall_now());
    found = object_of(co_await client_.send(api_.create(lease)));
    if (!found) co_return std::unexpected(std::move(found).error());
  }
  latest_ = std::move(*found);
  co_return missing;
}

// After a conflict the lease is read again: somebody else wrote it.
Task<void> LeaseController::update() {
  for (int tries = 1;; ++tries) {
    auto lease = renewed_lease(*latest_, options_.claim, client_.clock().wall_now());
    auto updated = object_of(co_await client_.send(api_.update(lease)));
    if (updated) {
      latest_ = std::move(*updated);
      co_return Result<void>{};
    }
    auto error = std::move(updated).error();
    if (error.is(Code::cancelled) || tries == kMaxUpdates)
      co_return std::unexpected(std::move(error));
    if (error.is_conflict()) {
      CO_TRY(const bool created, co_await ensure());
      if (created) co_return Result<void>{};
    }
  }
}

Task<void> LeaseController::collect() {
  const auto began = client_.clock().now();
  const auto answer =
      co_await client_.send(api_.list({.label_selector = format_labels(options_.claim.labels)}));
  report(&LeaseObserver::lease_listed, answer ? nullptr : &answer.error(), began);
  if (!answer) co_return std::unexpected(answer.error());
  const auto* list = answer->if_object();
  const auto* items = list != nullptr ? list->if_contains("items") : nullptr;
  if (items == nullptr || !items->is_array()) co_return Result<void>{};
  for (const auto& item : items->get_array()) {
    const auto* lease = item.if_object();
    if (lease == nullptr || lease_is_valid(*lease, client_.clock().wall_now())) continue;
    CO_TRY_VOID(co_await collect_one(*lease));
  }
  co_return Result<void>{};
}

// The resource version keeps us from deleting a lease that was renewed meanwhile.
Task<void> LeaseController::collect_one(const json::object& lease) {
  const std::string name(name_of(lease));
  const DeleteOptions options{.resource_version = std::string(resource_version_of(lease))};
  const auto began = client_.clock().now();
  const auto deleted = co_await client_.send(api_.remove(name, options));
  report(&LeaseObserver::lease_deleted, deleted ? nullptr : &deleted.error(), began);
  if (deleted) {
    if (observer_ != nullptr) observer_->lease_culled();
    LOG_INFO("removed expired lease", {"lease", name});
  } else if (deleted.error().is(Code::cancelled)) {
    co_return std::unexpected(deleted.error());
  } else if (!deleted.error().is_not_found()) {
    LOG_WARN("cannot remove expired lease", {"lease", name}, {"error", deleted.error().message});
  }
  co_return Result<void>{};
}

void LeaseController::report(void (LeaseObserver::*what)(int, std::string_view, async::Duration),
                             const Error* error, async::TimePoint began) {
  if (observer_ == nullptr || (error != nullptr && !error->answered())) return;
  const auto took = client_.clock().now() - began;
  (observer_->*what)(error != nullptr ? error->http_status : 200,
                     error != nullptr ? std::string_view(error->reason) : std::string_view(), took);
}

}  // namespace kube
