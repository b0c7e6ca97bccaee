#include "async/event.h"

#include <boost/asio/this_coro.hpp>

namespace async {

Event::Event(Executor executor) : timer_(executor, Timer::time_point::max()) {}

Task<void> Event::wait() {
  constexpr auto kNever = Timer::time_point::max();
  if (timer_.expiry() != kNever) timer_.expires_at(kNever);
  return wait_for_timer();
}

Task<void> Event::wait_until(std::chrono::steady_clock::time_point when) {
  timer_.expires_at(when);
  return wait_for_timer();
}

Task<void> Event::wait_for_timer() {
  (void)co_await timer_.async_wait(kAsTuple);
  // A notification and a cancellation both abort the timer; only the state of the coroutine tells
  // them apart.
  if (is_cancelled(co_await asio::this_coro::cancellation_state))
    co_return base::fail(base::Code::cancelled, "cancelled");
  co_return base::Result<void>{};
}

void Event::move_to(Executor executor) { timer_ = Timer(executor, Timer::time_point::max()); }

void Event::notify_all() { timer_.cancel(); }

}  // namespace async
