#pragma once

#include <cstddef>
#include <cstdint>

#include "async/clock.h"

namespace http {

/// Tells bytes that come as fast as they can (bulk) from those of somebody who says little and
/// waits for the answer (interactive). Thread: that of its owner.
class Traffic {
 public:
  static constexpr std::uint32_t kMuch = 256 * 1024;  // bytes
  static constexpr async::Duration kSoon = std::chrono::milliseconds(100);

  /// `count` bytes came at `now`. True while they are bulk: the last kMuch came within kSoon.
  bool bulk(async::TimePoint now, std::size_t count) {
    came_ += static_cast<std::uint32_t>(count);
    const async::Duration took = now - since_;
    if (came_ < kMuch && took < kSoon) return bulk_;
    bulk_ = took < kSoon;
    came_ = 0;
    since_ = now;
    return bulk_;
  }

 private:
  std::uint32_t came_ = 0;  // bytes since `since_`
  bool bulk_ = false;
  async::TimePoint since_{};
};

}  // namespace http
