#include "async/clock.h"

#include <boost/asio/this_coro.hpp>

namespace async {

TimePoint SystemClock::now() const { return std::chrono::steady_clock::now(); }
std::chrono::system_clock::time_point SystemClock::wall_now() const {
  return std::chrono::system_clock::now();
}

Task<void> SystemClock::sleep_until(TimePoint when) {
  Timer timer(co_await asio::this_coro::executor, when);
  auto [error] = co_await timer.async_wait(kAsTuple);
  if (error) co_return base::fail(base::Code::cancelled, "cancelled");
  co_return base::Result<void>{};
}

Task<void> ManualClock::sleep_until(TimePoint when) {
  ++sleepers_;
  base::Result<void> result;
  while (result && now_ < when) result = co_await moved_.wait();
  --sleepers_;
  co_return result;
}

Task<void> ManualClock::wait(Event& event, TimePoint when) {
  if (now_ >= when) co_return base::Result<void>{};
  struct Sleeper {
    ManualClock& clock;
    std::multiset<Event*>::iterator place;
    ~Sleeper() {
      --clock.sleepers_;
      clock.limited_.erase(place);
    }
  };
  const Sleeper registered{*this, limited_.insert(&event)};
  ++sleepers_;
  co_return co_await event.wait();
}

void ManualClock::advance(Duration by) {
  now_ += by;
  wall_ += std::chrono::duration_cast<std::chrono::system_clock::duration>(by);
  moved_.notify_all();
  for (Event* event : limited_) event->notify_all();
}

}  // namespace async
