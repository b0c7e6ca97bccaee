#pragma once

#include <boost/asio/steady_timer.hpp>

#include "async/task.h"

namespace async {

/// A place where coroutines wait until somebody says that something changed. It holds no state of
/// its own: a waiter checks its condition in a loop, `while (!ready) co_await event.wait();`.
/// Thread: that of the loop.
class Event {
 public:
  explicit Event(asio::any_io_executor executor);

  /// Ends with Code::cancelled when the waiting task is cancelled.
  Task<void> wait();
  void notify_all();
  /// Belongs to another loop from now on. Only while nobody waits.
  void move_to(const asio::any_io_executor& executor);

 private:
  asio::steady_timer timer_;
};

}  // namespace async
