#pragma once

#include <chrono>
#include <optional>

namespace net {

/// When to offer bytes again to a TCP socket that took none. The system reports room only once a
/// third of the send buffer is free, so a sender that waits for the report has two thirds of the
/// buffer under way, which on a long path is what limits it. One that offers again before has all
/// of it. Where nothing was taken for two round trips, the report is waited for: a peer that stands
/// still costs no more looks. See docs/decisions/0026-offer-before-the-report.md.
/// Thread: that of its owner.
class SendRetry {
 public:
  /// On a shorter path no buffer is too small.
  static constexpr std::chrono::microseconds kLong{4000};
  static constexpr std::chrono::microseconds kPause{1000};

  /// How long to wait for the report, on a path of `round_trip`, before the next offer; none: as
  /// long as it takes.
  std::optional<std::chrono::microseconds> next(std::chrono::microseconds round_trip) {
    if (round_trip < kLong || waited_ >= 2 * round_trip) return std::nullopt;
    waited_ += kPause;
    return kPause;
  }
  /// The socket took bytes.
  void taken() { waited_ = {}; }

 private:
  std::chrono::microseconds waited_{0};  // since bytes were last taken
};

}  // namespace net
