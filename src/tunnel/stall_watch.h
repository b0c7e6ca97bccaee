#pragma once

#include <list>

#include "async/clock.h"
#include "tunnel/congestion.h"

namespace tunnel {

/// Ends connections whose last bytes nobody takes: the other side is gone, the reader does not
/// move. Without it such a connection would keep its memory for ever. Thread: that of the loop.
class StallWatch {
 public:
  static constexpr async::Duration kPatience = std::chrono::seconds(30);
  static constexpr async::Duration kTick = std::chrono::seconds(5);

  explicit StallWatch(async::Clock& clock) : clock_(clock) {}

  void add(Sink& sink);
  void remove(const Sink& sink);
  void tick();
  /// Ticks until cancelled.
  async::Task<void> run();

 private:
  struct Watched {
    Sink* sink;
    async::TimePoint since;
    std::uint64_t taken;
  };
  async::Clock& clock_;
  std::list<Watched> watched_;
};

}  // namespace tunnel
