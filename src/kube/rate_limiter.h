#pragma once

#include <algorithm>
#include <chrono>

#include "async/clock.h"

namespace kube {

/// A token bucket that is told the time: `burst` requests at once, then `qps` in each second.
/// Whoever asks gets a place in the queue, and how long to wait for it.
class RateLimiter {
 public:
  /// A `qps` of 0 or less means no limit.
  RateLimiter(double qps, unsigned burst)
      : interval_(qps > 0 ? async::Duration(static_cast<std::int64_t>(1e9 / qps))
                          : async::Duration(0)),
        slack_(interval_ * (std::max(burst, 1U) - 1)) {}

  async::Duration reserve(async::TimePoint now) {
    next_ = std::max(next_, now);
    const auto wait = next_ - slack_ - now;
    next_ += interval_;
    return std::max(wait, async::Duration(0));
  }

 private:
  async::Duration interval_;
  async::Duration slack_;
  async::TimePoint next_{};  // when the next request would be due at a steady pace
};

}  // namespace kube
