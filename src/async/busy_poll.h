#pragma once

#include "async/clock.h"
#include "async/task.h"

namespace async {

/// Whether a loop without work should look again instead of sleeping. To be woken costs tens of
/// microseconds on virtual machines, which a chain of short steps (a round trip, a dial) pays at
/// every step; to look costs processor time. So it looks for at most `limit`, and only where the
/// last pause was over within that: rare events let it sleep. See docs/decisions/0020-busy-poll.md.
class BusyPoll {
 public:
  /// `limit` of 0: never.
  explicit BusyPoll(Duration limit) : limit_(limit) {}

  /// How long to look after the loop ran out of work.
  Duration patience() const { return expects_work_ ? limit_ : Duration::zero(); }
  /// The loop was without work for `pause`.
  void paused(Duration pause) { expects_work_ = pause < limit_; }

 private:
  Duration limit_;
  bool expects_work_ = false;
};

/// Runs `loop` until it is stopped or out of work, as Loop::run() does, looking for more work for
/// up to `busy_poll` before it sleeps. While it looks it gives its core to whoever wants it.
void run_loop(Loop& loop, Duration busy_poll);

}  // namespace async
