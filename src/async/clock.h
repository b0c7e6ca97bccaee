#pragma once

#include <chrono>
#include <set>

#include "async/event.h"
#include "async/task.h"

namespace async {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;

/// Time, injected so that tests set it. Code outside async/ never asks the system.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  /// Wall-clock time, for what goes to other machines (leases, certificates).
  virtual std::chrono::system_clock::time_point wall_now() const = 0;
  /// Ends at `when` or with Code::cancelled.
  virtual Task<void> sleep_until(TimePoint when) = 0;
  Task<void> sleep_for(Duration duration) { return sleep_until(now() + duration); }
  /// As event.wait(), but not longer than until `when`: one wait instead of two beside each other.
  virtual Task<void> wait(Event& event, TimePoint when) = 0;
};

/// The system's clocks. Stateless; any thread.
class SystemClock : public Clock {
 public:
  TimePoint now() const override;
  std::chrono::system_clock::time_point wall_now() const override;
  Task<void> sleep_until(TimePoint when) override;
  Task<void> wait(Event& event, TimePoint when) override { return event.wait_until(when); }
};

/// A clock that stands still until told: for tests. Thread: that of the loop.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Executor executor) : moved_(executor) {}
  TimePoint now() const override { return now_; }
  std::chrono::system_clock::time_point wall_now() const override { return wall_; }
  Task<void> sleep_until(TimePoint when) override;
  Task<void> wait(Event& event, TimePoint when) override;
  void advance(Duration by);
  std::size_t sleepers() const { return sleepers_; }

 private:
  TimePoint now_{std::chrono::hours(1)};
  std::chrono::system_clock::time_point wall_{std::chrono::hours(24 * 365 * 50)};
  std::size_t sleepers_ = 0;
  Event moved_;
  std::multiset<Event*> limited_;  // awaited, with an end that advance() may bring
};

}  // namespace async
