#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "kube/labels.h"
#include "kube/reflector.h"
#include "kube/time.h"

namespace kube {

/// Counts the valid leases of a namespace that a selector matches: the number of servers there are.
///
/// Flow: start(); count() at any time; co_await stop(); destroy.
/// Guarantees: count() never waits and is at least 1. While the API server cannot be asked it gives
/// the last count, since
///   leases that nobody can see renewed would seem to expire.
/// Thread: that of the loop. `client` and `observer` outlive it.
class LeaseCounter : private WatchHandler, private WatchObserver {
 public:
  LeaseCounter(async::Loop& loop, Client& client, std::string in_namespace, LabelSelector selector,
               WatchObserver* observer);

  void start();
  async::Awaitable<void> stop();

  unsigned count();
  /// True once the leases have been read.
  bool synced() const { return reflector_.synced(); }

 private:
  void replace(std::vector<json::object> leases) override;
  void apply(json::object lease) override;
  void remove(const json::object& lease) override;
  void listed(const Error* error, async::Duration took) override;
  void watched(const Error* error, async::Duration took) override;

  async::Clock& clock_;
  LabelSelector selector_;
  WatchObserver* observer_;
  std::map<std::string, WallTime> ends_;  // of the selected leases, by name
  unsigned last_count_ = 1;
  bool blind_ = false;  // the last request failed
  Reflector reflector_;
  async::TaskGroup tasks_;
};

}  // namespace kube
