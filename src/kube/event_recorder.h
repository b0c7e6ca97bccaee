#pragma once

#include <deque>
#include <string>

#include "async/backoff.h"
#include "async/event.h"
#include "kube/client.h"
#include "kube/event_correlator.h"

namespace kube {

/// Writes events about objects, for people to see: as far as it can. An API server that is away is
/// asked again for a while; one that refuses is not; what does not fit the queue is dropped.
///
/// Flow: spawn run(); record() at any time, before run() too; cancel run() to stop.
/// Thread: that of the loop. `client` outlives it.
class EventRecorder {
 public:
  struct Options {
    std::string component;  // who reports: "cluster-proxy-addon-manager"
    std::string host;       // where: the pod or the machine
    std::size_t max_queued = 1000;
    int tries = 12;
    async::Duration retry_pause = std::chrono::seconds(10);
  };
  EventRecorder(async::Loop& loop, Client& client, Options options);

  /// Never waits and never fails.
  void record(ObjectReference about, EventType type, std::string reason, std::string message);

  /// Never returns but when cancelled. Spawn it.
  async::Task<void> run();
  std::size_t queued() const { return queue_.size(); }

 private:
  async::Task<void> write(EventWrite event);
  Task<void> attempt(const EventWrite& event);

  Client& client_;
  Options options_;
  EventCorrelator correlator_;
  std::deque<EventWrite> queue_;
  async::Event recorded_;
};

}  // namespace kube
