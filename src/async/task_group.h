#pragma once

#include <cstddef>
#include <list>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "async/event.h"
#include "async/task.h"

namespace async {

/// Owns the tasks that run beside their maker: nothing in this program is spawned elsewhere.
///
/// Flow: spawn() any number of tasks; close() or cancel(); co_await join(); destroy.
/// Guarantees: a task starts from the loop, never inside spawn(). After cancel() no task can be
/// added and each running
///   one sees Code::cancelled at its current operation, then unwinds. join() returns when none is
///   left.
/// Assumptions: declared as the last member of its owner, so that tasks may use every other member.
/// The owner awaits
///   join() before it is destroyed, or destroys the loop with the group in it.
/// Thread: that of the loop.
class TaskGroup {
 public:
  explicit TaskGroup(Executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  /// Runs `task`. An error it returns is logged at debug level with `name`, which must be a
  /// literal: whoever cares about errors handles them inside. Dropped unrun after cancel().
  void spawn(std::string_view name, Task<void> task);

  /// Returns when no task runs: others may be spawned before and after.
  Task<void> until_empty();

  void cancel();
  Awaitable<void> join();

  bool empty() const { return running_.empty(); }
  std::size_t size() const { return running_.size(); }
  bool cancelled() const { return cancelled_; }
  Executor executor() const { return executor_; }

 private:
  struct Running;
  void forget(std::list<Running>::iterator place);

  Executor executor_;
  std::list<Running> running_;
  Event changed_;
  bool cancelled_ = false;
};

}  // namespace async
