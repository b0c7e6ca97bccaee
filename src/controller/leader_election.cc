#include "controller/leader_election.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "async/backoff.h"
#include "async/timeout.h"
#include "base/id.h"
#include "base/log.h"
#include "kube/account.h"
#include "kube/json.h"
#include "kube/lease.h"

namespace controller {

using base::Code;

namespace {

// Candidates that lost look again after one to 2.2 retry periods.
constexpr double kAcquireJitter = 1.2;

kube::Error held_error(std::string_view holder) {
  return {Code::conflict, fmt::format("the lease is held by {}", holder)};
}

}  // namespace

std::string election_identity() { return base::host_name() + "_" + base::random_uuid(); }

void ElectionState::seen(json::object lease, async::TimePoint now) {
  const bool same = known() && kube::object_at(lease, "spec") == kube::object_at(lease_, "spec");
  if (!same) changed_ = now;
  lease_ = std::move(lease);
}

void ElectionState::seen_none() { lease_.clear(); }

std::string_view ElectionState::holder() const {
  return kube::text_at(kube::object_at(lease_, "spec"), "holderIdentity");
}

bool ElectionState::valid(async::TimePoint now) const {
  const auto& spec = kube::object_at(lease_, "spec");
  constexpr std::int64_t kLongest = 10LL * 365 * 24 * 3600;  // keeps sums of times in range
  const auto seconds = kube::integer_at(spec, "leaseDurationSeconds").value_or(0);
  return known() &&
         changed_ + std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kLongest)) > now;
}

json::object ElectionState::with_spec(json::object spec) const {
  auto lease = lease_;
  lease["spec"] = std::move(spec);
  return lease;
}

json::object ElectionState::claim(kube::WallTime now) const {
  const auto& old = kube::object_at(lease_, "spec");
  const auto time = kube::format_micro_time(now);
  const auto transitions = kube::integer_at(old, "leaseTransitions").value_or(0);
  const bool first = !known();
  const auto acquired = kube::text_at(old, "acquireTime");
  return with_spec({{"holderIdentity", identity_},
                    {"leaseDurationSeconds", duration_.count()},
                    {"acquireTime", leading() ? std::string(acquired) : time},
                    {"renewTime", time},
                    {"leaseTransitions", transitions + (first || leading() ? 0 : 1)}});
}

json::object ElectionState::released(kube::WallTime now) const {
  const auto& old = kube::object_at(lease_, "spec");
  const auto time = kube::format_micro_time(now);
  return with_spec({{"holderIdentity", ""},
                    {"leaseDurationSeconds", 1},
                    {"acquireTime", time},
                    {"renewTime", time},
                    {"leaseTransitions", kube::integer_at(old, "leaseTransitions").value_or(0)}});
}

LeaderElection::LeaderElection(kube::Client& client, Options options, kube::EventRecorder* events)
    : client_(client),
      options_(std::move(options)),
      events_(events),
      api_(kube::lease_api(options_.in_namespace)),
      state_(options_.identity, options_.lease_duration) {}

kube::Task<json::object> LeaderElection::send(http::ClientRequest request) {
  const auto limit =
      std::max<async::Duration>(std::chrono::seconds(1), options_.renew_deadline / 2);
  CO_TRY(auto answer, co_await client_.send_within(std::move(request), limit));
  if (auto* object = answer.if_object()) co_return std::move(*object);
  co_return std::unexpected(kube::Error(Code::io, "the answer is not an object"));
}

kube::Task<void> LeaderElection::write(http::ClientRequest request) {
  const auto began = client_.clock().now();
  CO_TRY(auto lease, co_await send(std::move(request)));
  written_ = began;
  state_.seen(std::move(lease), client_.clock().now());
  co_return kube::Result<void>{};
}

kube::Task<void> LeaderElection::look() {
  auto lease = co_await send(api_.get(options_.name));
  if (lease) {
    state_.seen(std::move(*lease), client_.clock().now());
  } else if (lease.error().is_not_found()) {
    state_.seen_none();
  } else {
    co_return std::unexpected(std::move(lease).error());
  }
  co_return kube::Result<void>{};
}

json::object LeaderElection::claim() const {
  auto lease = state_.claim(client_.clock().wall_now());
  if (options_.owner) kube::add_owner(lease, options_.owner());
  return lease;
}

// The lease that we know is most likely still the server's.
kube::Task<void> LeaderElection::renew_optimistically() {
  const auto& clock = client_.clock();
  if (!state_.leading() || !state_.valid(clock.now()))
    co_return std::unexpected(held_error(state_.holder()));
  co_return co_await write(api_.update(claim()));
}

kube::Task<void> LeaderElection::try_once() {
  const auto& clock = client_.clock();
  auto renewed = co_await renew_optimistically();
  if (renewed || renewed.error().is(Code::cancelled)) co_return renewed;
  CO_TRY_VOID(co_await look());
  if (!state_.known()) {
    auto lease = claim();
    lease["apiVersion"] = "coordination.k8s.io/v1";
    lease["kind"] = "Lease";
    auto& metadata = lease["metadata"];
    if (!metadata.is_object()) metadata.emplace_object();
    metadata.get_object()["name"] = options_.name;
    metadata.get_object()["namespace"] = options_.in_namespace;
    co_return co_await write(api_.create(lease));
  }
  if (!state_.may_take(clock.now())) co_return std::unexpected(held_error(state_.holder()));
  co_return co_await write(api_.update(claim()));
}

void LeaderElection::note_leader() {
  if (noted_ == state_.holder()) return;
  noted_ = state_.holder();
  LOG_INFO("leader of the lease", {"lease", options_.name}, {"leader", noted_});
}

void LeaderElection::report(std::string_view what) {
  if (events_ == nullptr) return;
  const kube::ObjectReference lease{.api_version = "coordination.k8s.io/v1",
                                    .kind = "Lease",
                                    .in_namespace = options_.in_namespace,
                                    .name = options_.name};
  events_->record(lease, kube::EventType::normal, "LeaderElection",
                  fmt::format("{} {}", options_.identity, what));
}

async::Task<void> LeaderElection::acquire() {
  for (;;) {
    const auto tried = co_await try_once();
    note_leader();
    if (tried) break;
    const auto& error = tried.error();
    if (error.is(Code::cancelled)) co_return base::fail(error);
    LOG_DEBUG("not the leader", {"lease", options_.name}, {"error", error.message});
    CO_TRY_VOID(
        co_await client_.clock().sleep_for(async::jittered(options_.retry_period, kAcquireJitter)));
  }
  report("became leader");
  co_return base::Result<void>{};
}

async::Task<void> LeaderElection::renew() {
  auto& clock = client_.clock();
  for (;;) {
    const auto renewed = co_await try_once();
    note_leader();
    if (renewed) co_return base::Result<void>{};
    const auto& error = renewed.error();
    const bool lost = state_.known() && !state_.leading();
    if (error.is(Code::cancelled) || lost) co_return base::fail(error);
    LOG_WARN("cannot renew the lease of the leader", {"lease", options_.name},
             {"error", error.message});
    CO_TRY_VOID(co_await clock.sleep_for(options_.retry_period));
  }
}

// The deadline counts from before the last request that went well: others count from when they saw
// what it wrote.
async::Task<void> LeaderElection::hold() {
  auto& clock = client_.clock();
  const auto what = fmt::format("lease {}/{}", options_.in_namespace, options_.name);
  for (;;) {
    CO_TRY_VOID(co_await clock.sleep_for(options_.retry_period));
    const auto left = std::max<async::Duration>(written_ + options_.renew_deadline - clock.now(),
                                                async::Duration::zero());
    const auto renewed = co_await async::with_timeout(clock, left, what, renew());
    if (renewed) continue;
    if (!renewed.error().is(Code::cancelled)) report("stopped leading");
    co_return base::fail(renewed.error().within("leadership lost"));
  }
}

// As client-go: what others wrote meanwhile is looked at first.
async::Task<void> LeaderElection::release() {
  if (!state_.leading()) co_return base::Result<void>{};
  CO_TRY_VOID(co_await look());
  if (!state_.leading()) co_return base::Result<void>{};
  CO_TRY_VOID(co_await write(api_.update(state_.released(client_.clock().wall_now()))));
  LOG_INFO("lease released", {"lease", options_.name});
  co_return base::Result<void>{};
}

}  // namespace controller
