#pragma once

#include <optional>
#include <string>

#include "async/task_group.h"
#include "controller/controller_metrics.h"
#include "controller/informer.h"
#include "controller/work_queue.h"
#include "kube/error.h"

namespace controller {

/// What a reconcile that went well wants next.
struct Outcome {
  std::optional<async::Duration> again_after;
};

/// Brings one object of the world to what it should be. It hears only which object: it reads the
/// world anew each time, and does nothing when all is as it should be.
class Reconciler {
 public:
  virtual ~Reconciler() = default;
  virtual kube::Task<Outcome> reconcile(ObjectKey key) = 0;
};

/// Feeds a Reconciler with keys, and with those it failed on after growing pauses.
///
/// Flow: informers tell queue() what changed; spawn run() when their stores are filled; cancel it
/// to stop. Guarantees: one reconcile at a time for a key; a failure never ends it. Thread: that of
/// the loop. `reconciler` and `metrics` outlive it.
class Controller {
 public:
  /// `name` is a literal, for the log and the metrics, which may be null.
  Controller(async::Loop& loop, async::Clock& clock, std::string_view name, Reconciler& reconciler,
             ControllerMetrics* metrics = nullptr)
      : name_(name),
        clock_(clock),
        reconciler_(reconciler),
        metrics_(metrics),
        queue_(loop, clock) {}

  WorkQueue& queue() { return queue_; }
  /// Queues the key of each object of `informer` that changes.
  void watch(Informer& informer);

  /// Never returns but when cancelled. Spawn it, once for each worker.
  async::Task<void> run();

 private:
  void count(const kube::Result<Outcome>& result, async::Duration took);
  void settle(const ObjectKey& key, const kube::Result<Outcome>& result, async::Duration took);

  std::string_view name_;
  async::Clock& clock_;
  Reconciler& reconciler_;
  ControllerMetrics* metrics_;
  WorkQueue queue_;
};

}  // namespace controller
