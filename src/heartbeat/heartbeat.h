#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "async/backoff.h"
#include "kube/client.h"
#include "kube/lease.h"

namespace heartbeat {

/// Asks whether what the heartbeat stands for is well. Says why not.
using Probe = std::function<async::Task<void>()>;

/// Shows by a Lease that this cluster's agent is well: the hub calls the add-on available as long
/// as it is renewed.
///
/// The lease is kept in the agent's own cluster; where that has no place for it (the API answers
/// NotFound), in the cluster's namespace on the hub. Nobody holds it: each replica renews it.
/// Thread: that of the loop.
class Heartbeat {
 public:
  struct Options {
    std::string name = "cluster-proxy";
    std::string in_namespace;
    std::string hub_namespace;  // the cluster's name; "" = no fallback
    std::chrono::seconds lease_duration{60};
    async::Duration period = std::chrono::seconds(60);
    double jitter = 0.25;
    async::Duration probe_period = std::chrono::seconds(2);  // while it fails
    async::Backoff::Options backoff{.initial = std::chrono::seconds(2),
                                    .cap = std::chrono::seconds(30),
                                    .factor = 2,
                                    .jitter = 0.25};
    /// An owner reference: the lease in this cluster goes with that object. Unset or {}: it stays.
    std::function<kube::json::object()> owner;
  };
  /// The references outlive the heartbeat.
  Heartbeat(async::Clock& clock, kube::Client& here, kube::Client& hub, Probe probe,
            Options options);

  /// Never returns but when cancelled: renews as soon as the probe succeeds, then every period.
  async::Task<void> run();

  /// One renewal.
  kube::Task<void> renew();
  /// When the lease was renewed last; nothing before the first time.
  std::optional<async::TimePoint> renewed() const { return renewed_; }

 private:
  async::Task<async::Duration> beat();
  kube::Task<void> renew_in(kube::Client& client, std::string in_namespace);
  void report(const base::Result<void>& outcome, std::string_view what);

  async::Clock& clock_;
  kube::Client& here_;
  kube::Client& hub_;
  Probe probe_;
  Options options_;
  async::Backoff backoff_;
  std::optional<async::TimePoint> renewed_;
  std::string trouble_;  // reported last
};

/// GETs `url` (http) and succeeds on status 200. `limit` bounds it.
Probe http_probe(async::Clock& clock, const std::string& url,
                 async::Duration limit = std::chrono::seconds(5));

}  // namespace heartbeat
