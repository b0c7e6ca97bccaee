#include "async/busy_poll.h"

#include <sched.h>
#include <utility>

namespace async {
namespace {

using Steady = std::chrono::steady_clock;

thread_local std::size_t moved = 0;

/// How long the core is kept between two looks. To give it away at every look would tell the kernel
/// that we are in no hurry.
constexpr Duration kTurn = std::chrono::microseconds(4);

/// True when something was run within the patience of `busy`.
bool look_again(Loop& loop, BusyPoll& busy, TimePoint since) {
  TimePoint turn = since;
  for (TimePoint now = since; now - since < busy.patience(now);) {
    if (loop.poll() > 0) return true;
    const bool give_away = now - turn >= kTurn;
    if (give_away) sched_yield();
    const TimePoint before = std::exchange(now, Steady::now());
    if (give_away) turn = now;
    busy.looked(now, now - before);
  }
  return false;
}

/// False when the loop is over.
bool run_next(Loop& loop, BusyPoll& busy) {
  const TimePoint since = Steady::now();
  busy.worked(take_moved());
  if (!look_again(loop, busy, since) && loop.run_one() == 0) return false;
  busy.paused(Steady::now() - since);
  return true;
}

}  // namespace

void note_moved(std::size_t bytes) { moved += bytes; }

std::size_t take_moved() { return std::exchange(moved, 0); }

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
