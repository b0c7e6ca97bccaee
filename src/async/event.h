#pragma once

#include <chrono>

#include <boost/asio/steady_timer.hpp>

#include "async/task.h"

namespace async {

/// Asio's steady timer on a Loop. What waits for time takes a Clock instead, for tests.
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// A place where coroutines wait until somebody says that something changed. It holds no state of
/// its own: a waiter checks its condition in a loop, `while (!ready) co_await event.wait();`.
/// Thread: that of the loop.
class Event {
 public:
  explicit Event(Executor executor);

  /// Ends with Code::cancelled when the waiting task is cancelled.
  Task<void> wait();
  /// The same, but not longer than until `when` by the system's clock: to be used through
  /// Clock::wait(). Wakes whoever else waits.
  Task<void> wait_until(std::chrono::steady_clock::time_point when);
  void notify_all();
  /// Belongs to another loop from now on. Only while nobody waits.
  void move_to(Executor executor);

 private:
  Task<void> wait_for_timer();

  Timer timer_;
};

}  // namespace async
