#include "async/busy_poll.h"

#include <sched.h>
#include <utility>

namespace async {
namespace {

using Steady = std::chrono::steady_clock;

/// True when something was run within the patience of `busy`.
bool look_again(Loop& loop, BusyPoll& busy, TimePoint since) {
  for (TimePoint now = since; now - since < busy.patience(now);) {
    if (loop.poll() > 0) return true;
    sched_yield();
    const TimePoint before = std::exchange(now, Steady::now());
    busy.yielded(now, now - before);
  }
  return false;
}

/// False when the loop is over.
bool run_next(Loop& loop, BusyPoll& busy) {
  const TimePoint since = Steady::now();
  if (!look_again(loop, busy, since) && loop.run_one() == 0) return false;
  busy.paused(Steady::now() - since);
  return true;
}

}  // namespace

void run_loop(Loop& loop, Duration busy_poll) {
  if (busy_poll == Duration::zero()) {
    loop.run();
    return;
  }
  BusyPoll busy(busy_poll);
  do {
    while (loop.poll() > 0) {
    }
  } while (!loop.stopped() && run_next(loop, busy));
}

}  // namespace async
