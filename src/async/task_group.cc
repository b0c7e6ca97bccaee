#include "async/task_group.h"

#include <exception>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include "base/check.h"
#include "base/log.h"

namespace async {

struct TaskGroup::Running {
  std::string_view name;
  asio::cancellation_signal signal;
};

namespace {

void report(std::string_view name, const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted)
      return;  // the unwinding of a cancelled task
    LOG_ERROR("task failed", {"task", name}, {"error", error.what()});
  } catch (const std::exception& error) {
    LOG_ERROR("task failed", {"task", name}, {"error", error.what()});
  }
}

void report(std::string_view name, const base::Result<void>& result) {
  if (result || result.error().is(base::Code::cancelled)) return;
  LOG_DEBUG("task ended", {"task", name}, {"error", result.error()});
}

}  // namespace

TaskGroup::TaskGroup(Executor executor) : executor_(executor), changed_(executor) {}

TaskGroup::~TaskGroup() = default;

void TaskGroup::spawn(std::string_view name, Task<void> task) {
  if (cancelled_) return;
  const auto place = running_.emplace(running_.end());
  place->name = name;
  auto on_end = [this, place](const std::exception_ptr& exception,
                              const base::Result<void>& result) {
    exception ? report(place->name, exception) : report(place->name, result);
    // A cancellation from outside the loop is delivered by a posted handler that refers to the
    // node.
    if (cancelled_) {
      asio::post(executor_, [this, place] { forget(place); });
    } else {
      forget(place);
    }
  };
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(place->signal.slot(), std::move(on_end)));
}

void TaskGroup::forget(std::list<Running>::iterator place) {
  running_.erase(place);
  if (running_.empty()) changed_.notify_all();
}

void TaskGroup::cancel() {
  cancelled_ = true;
  // A signal may complete its task at once, which erases the node; the next one is found before
  // that.
  for (auto next = running_.begin(); next != running_.end();) {
    (next++)->signal.emit(asio::cancellation_type::terminal);
  }
}

Task<void> TaskGroup::until_empty() {
  while (!running_.empty()) CO_TRY_VOID(co_await changed_.wait());
  co_return base::Result<void>{};
}

Awaitable<void> TaskGroup::join() {
  while (!running_.empty()) (void)co_await changed_.wait();
}

}  // namespace async
