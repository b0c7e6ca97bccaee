#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "async/clock.h"
#include "async/task.h"

namespace async {

/// The loops of a program: the first is run by the thread that calls run(), each other one has a
/// thread of its own. State belongs to one loop; loops talk by posting.
///
/// Flow: construct; give work to the loops; run() until stop(); destroy, after everything that uses
/// the loops.
class LoopPool {
 public:
  /// At least one loop. For `busy_poll` see run_loop().
  explicit LoopPool(std::size_t count, Duration busy_poll = Duration::zero());
  ~LoopPool();

  Loop& first() { return *loops_.front(); }
  const std::vector<Loop*>& all() const { return pointers_; }

  /// Runs all loops; returns when stop() was called and every thread has ended.
  void run();
  /// From any thread.
  void stop();

 private:
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<Loop*> pointers_;
  Duration busy_poll_;
};

/// How many cores this process may use: its affinity, and what a container's CPU quota leaves.
std::size_t usable_cores();

/// More than one core, and no quota that a loop which looks for work would use up.
bool has_cores_to_spare();

}  // namespace async
