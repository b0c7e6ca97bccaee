#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "async/backoff.h"
#include "async/task_group.h"
#include "kube/client.h"
#include "kube/lease.h"

namespace kube {

/// Hears what a LeaseController asked the API server and what came of it: for metrics.
/// `http_status` is 200 with an empty `reason` on success. Requests that got no answer are not
/// reported.
class LeaseObserver {
 public:
  virtual ~LeaseObserver() = default;
  virtual void lease_listed(int http_status, std::string_view reason, async::Duration took) = 0;
  virtual void lease_deleted(int http_status, std::string_view reason, async::Duration took) = 0;
  /// An expired lease was removed.
  virtual void lease_culled() = 0;
};

/// Shows by a lease that this server is there, and removes the leases of servers that are not any
/// more.
///
/// Flow: start(); co_await stop(); destroy.
/// Guarantees: the lease is renewed every `renew_period`; trouble with the API server is waited
/// out. stop() deletes it. Assumptions: the holder is unique among servers; its name makes a valid
/// object name. Thread: that of the loop. `client` and `observer` outlive it.
class LeaseController {
 public:
  struct Options {
    LeaseClaim claim;
    std::chrono::seconds renew_period{15};
    double renew_jitter = 0.04;
    std::chrono::seconds collect_period{15};
    async::Duration delete_limit = std::chrono::seconds(5);  // on stop()
  };
  LeaseController(async::Loop& loop, Client& client, Options options, LeaseObserver* observer);

  void start();
  async::Awaitable<void> stop();

  /// Creates or renews the lease once, waiting out trouble while it does not exist.
  Task<void> renew();
  /// Deletes each lease with our labels that has expired.
  Task<void> collect();

 private:
  async::Task<void> keep_renewing();
  async::Task<void> keep_collecting();
  Task<bool> ensure();
  Task<bool> get_or_create();
  Task<void> update();
  Task<void> collect_one(const json::object& lease);
  async::Task<void> delete_own();
  void report(void (LeaseObserver::*what)(int, std::string_view, async::Duration),
              const Error* error, async::TimePoint began);

  Client& client_;
  Options options_;
  LeaseObserver* observer_;
  Api api_;
  std::optional<json::object> latest_;
  async::TaskGroup tasks_;
};

}  // namespace kube
