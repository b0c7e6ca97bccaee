#include "async/busy_poll.h"

#include <sched.h>

namespace async {
namespace {

using Steady = std::chrono::steady_clock;

/// True when something was run within `patience`.
bool look_again(Loop& loop, TimePoint since, Duration patience) {
  while (Steady::now() - since < patience) {
    sched_yield();
    if (loop.poll() > 0) return true;
  }
  return false;
}

/// False when the loop is over.
bool run_next(Loop& loop, BusyPoll& busy) {
  const TimePoint since = Steady::now();
  if (!look_again(loop, since, busy.patience()) && loop.run_one() == 0) return false;
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
