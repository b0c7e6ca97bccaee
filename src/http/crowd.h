#pragma once

#include <cstddef>
#include <cstdint>

#include "async/clock.h"

namespace http {

/// Tells who says little and waits for the answer (interactive) among those who share a connection
/// from those whose bytes come as fast as they can (bulk): within a period it is less than kLittle,
/// and less than a sixteenth of what one of them brings on average. Alone, or among their like,
/// nobody says little. Thread: that of its owner.
class Crowd {
 public:
  static constexpr std::uint32_t kLittle = 256 * 1024;  // bytes
  static constexpr std::uint32_t kFraction = 16;        // of the average
  static constexpr async::Duration kPeriod = std::chrono::milliseconds(100);

  /// What is known of one of them. Kept by whom it is about.
  class Member {
    friend class Crowd;
    std::uint64_t period_ = 0;          // the last in which it brought something
    std::uint32_t brought_ = 0;         // bytes, in that period
    std::uint32_t brought_before_ = 0;  // in the one before
  };

  /// `member` brought `count` bytes at `now`. Whether it is one who says little.
  bool says_little(async::TimePoint now, Member& member, std::size_t count);

 private:
  void begin_period(async::TimePoint now);
  void enter_period(Member& member);

  std::uint64_t period_ = 1;
  async::TimePoint began_{};
  std::uint64_t brought_ = 0;  // bytes of all in this period
  std::uint64_t members_ = 0;  // who brought something in it
  std::uint64_t average_ = 0;  // bytes of one in the last period
};

}  // namespace http
