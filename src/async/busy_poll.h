#pragma once

#include <cstddef>

#include "async/clock.h"
#include "async/task.h"

namespace async {

/// Whether a loop without work should look again instead of sleeping. To be woken costs tens of
/// microseconds on virtual machines, which a chain of short steps (a round trip, a dial) pays at
/// every step; to look costs processor time. So it looks for at most `limit`, only where the last
/// pause was over within that, so that rare events let it sleep, only for small messages, since
/// bulk repays a wake-up with each block, and not where others want the core. See
/// docs/decisions/0020-busy-poll.md. Thread: that of the loop.
class BusyPoll {
 public:
  /// `limit` of 0: never.
  explicit BusyPoll(Duration limit) : limit_(limit) {}

  /// How long to look after the loop ran out of work at `now`.
  Duration patience(TimePoint now) const {
    return expects_work_ && !moves_bulk_ && now >= crowded_until_ ? limit_ : Duration::zero();
  }
  /// The loop ran out of work that had moved so many bytes; see note_moved().
  void worked(std::size_t moved) { moves_bulk_ = moved > kSmall; }
  /// The loop was without work for `pause`.
  void paused(Duration pause) { expects_work_ = pause < limit_; }
  /// The loop looked in vain, `after` the look before. Others want the core, if that is longer than
  /// the steps of a chain that we are part of take: who waits for it asleep is served sooner than
  /// who gives it away again and again.
  void looked(TimePoint now, Duration after) {
    if (after > kCrowded) crowded_until_ = now + kRest;
  }

 private:
  static constexpr std::size_t kSmall = 4096;
  static constexpr Duration kCrowded = std::chrono::microseconds(500);
  static constexpr Duration kRest = std::chrono::milliseconds(100);

  Duration limit_;
  bool expects_work_ = false;
  bool moves_bulk_ = false;
  TimePoint crowded_until_{};
};

/// So many bytes came in on the loop of this thread. From any thread, one without a loop too.
void note_moved(std::size_t bytes);
/// What was noted on this thread since the last call; bytes.
std::size_t take_moved();

/// Runs `loop` until it is stopped or out of work, as Loop::run() does, looking for more work for
/// up to `busy_poll` before it sleeps.
void run_loop(Loop& loop, Duration busy_poll);

}  // namespace async
