#include "heartbeat/heartbeat.h"

#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "kube/account.h"
#include "kube/json.h"

namespace heartbeat {

namespace json = kube::json;

using async::Task;
using base::Code;
using base::Result;

namespace {

json::object new_lease(const Heartbeat::Options& options, std::string_view in_namespace) {
  return {{"apiVersion", "coordination.k8s.io/v1"},
          {"kind", "Lease"},
          {"metadata", {{"name", options.name}, {"namespace", in_namespace}}},
          {"spec", {{"leaseDurationSeconds", options.lease_duration.count()}}}};
}

void set_renewed(json::object& lease, kube::WallTime now) {
  auto& spec = lease["spec"];
  if (!spec.is_object()) spec.emplace_object();
  spec.get_object()["renewTime"] = kube::format_micro_time(now);
}

}  // namespace

Heartbeat::Heartbeat(async::Clock& clock, kube::Client& here, kube::Client& hub, Probe probe,
                     Options options)
    : clock_(clock),
      here_(here),
      hub_(hub),
      probe_(std::move(probe)),
      options_(std::move(options)),
      backoff_(options_.backoff) {}

Task<void> Heartbeat::run() {
  for (;;) {
    CO_TRY(const auto pause, co_await beat());
    CO_TRY_VOID(co_await clock_.sleep_for(pause));
  }
}

// Gives the time until the next beat.
Task<async::Duration> Heartbeat::beat() {
  auto well = co_await probe_();
  if (!well) {
    report(well, "the lease is not renewed: the proxy-agent is not ready");
    co_return options_.probe_period;
  }
  auto renewed = co_await renew();
  auto outcome = renewed ? Result<void>{} : base::fail(base::Error(renewed.error()));
  report(outcome, "the lease cannot be renewed");
  if (!outcome) co_return backoff_.next();
  backoff_.reset();
  renewed_ = clock_.now();
  co_return async::jittered(options_.period, options_.jitter);
}

// The same trouble is told once; that we stop is none.
void Heartbeat::report(const Result<void>& outcome, std::string_view what) {
  if (!outcome && outcome.error().is(Code::cancelled)) return;
  const std::string trouble = outcome ? "" : outcome.error().message;
  const auto before = std::exchange(trouble_, trouble);
  if (trouble == before && (renewed_ || !trouble.empty())) return;
  if (!trouble.empty()) {
    LOG_WARN(what, {"lease", options_.name}, {"error", trouble});
  } else {
    LOG_INFO("the lease is renewed", {"lease", options_.name},
             {"namespace", options_.in_namespace});
  }
}

kube::Task<void> Heartbeat::renew() {
  auto renewed = co_await renew_in(here_, options_.in_namespace);
  const bool no_place = !renewed && renewed.error().is_not_found();
  if (!no_place || options_.hub_namespace.empty()) co_return renewed;
  auto on_hub = co_await renew_in(hub_, options_.hub_namespace);
  if (on_hub) co_return on_hub;
  on_hub.error().message = fmt::format("neither in this cluster ({}) nor on the hub: {}",
                                       renewed.error().message, on_hub.error().message);
  co_return on_hub;
}

kube::Task<void> Heartbeat::renew_in(kube::Client& client, std::string in_namespace) {
  const auto api = kube::lease_api(in_namespace);
  auto found = co_await client.send(api.get(options_.name));
  if (!found && !found.error().is_not_found()) co_return std::unexpected(found.error());
  const bool exists = found && found->is_object();
  auto lease = exists ? std::move(found->get_object()) : new_lease(options_, in_namespace);
  set_renewed(lease, clock_.wall_now());
  if (options_.owner && in_namespace == options_.in_namespace)
    kube::add_owner(lease, options_.owner());
  auto written = co_await client.send(exists ? api.update(lease) : api.create(lease));
  if (written) co_return kube::Result<void>{};
  // Another replica was faster: the lease is as fresh as it can be.
  if (written.error().is_conflict() || written.error().is_already_exists()) {
    co_return kube::Result<void>{};
  }
  co_return std::unexpected(written.error());
}

}  // namespace heartbeat
