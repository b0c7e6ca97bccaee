#pragma once

#include <cstdint>

#include "async/clock.h"

namespace http {

/// How many bytes a peer may have under way on a connection whose streams have windows of their own
/// (RFC 9113, 6.9). What it has sent stands in the system's buffers in one row, so somebody who
/// says little waits behind all the bulk that came before. While there is such a one, the window is
/// what the path needs; otherwise large enough that both ends work in large pieces. See
/// docs/decisions/0025-connection-window.md.
///
/// The path is as long as the shortest round trip of the last minutes: that of now is longer by the
/// queue that the window itself allows, and would let it grow without end.
/// Thread: that of its owner.
class ConnectionWindow {
 public:
  static constexpr std::uint32_t kLeast = 256 * 1024;  // bytes
  static constexpr std::uint32_t kRoomy = 4 << 20;     // bytes
  /// How long after their last word somebody counts as being there.
  static constexpr async::Duration kPresence = std::chrono::milliseconds(100);
  /// A round trip that is shorter is the work of the two ends rather than a path.
  static constexpr async::Duration kShort = std::chrono::microseconds(500);
  /// A round trip is remembered for one to two of these.
  static constexpr async::Duration kMemory = std::chrono::seconds(150);

  /// `largest`: bytes that it never exceeds.
  explicit ConnectionWindow(std::uint32_t largest) : largest_(largest) {}

  /// So many bytes came, of whatever stream.
  void arrived(async::TimePoint now, std::size_t count);
  /// Some of them are of somebody who says little.
  void interactive(async::TimePoint now) { interactive_until_ = now + kPresence; }
  /// What a ping took that was answered at `now`.
  void measured(async::TimePoint now, async::Duration round_trip);
  /// What the peer may have under way at `now`, in bytes.
  std::uint32_t size(async::TimePoint now) const;
  /// The shortest round trip of the last minutes; zero when none was measured.
  async::Duration path() const;

 private:
  static constexpr async::Duration kNever = async::Duration::max();

  std::uint32_t largest_;
  std::uint32_t needed_ = kLeast;  // by the path
  std::size_t arrived_ = 0;        // bytes since the last look
  async::TimePoint looked_{};
  async::TimePoint interactive_until_{};
  async::Duration shortest_ = kNever;  // since `remembered_`
  async::Duration shortest_before_ = kNever;
  async::TimePoint remembered_{};
};

}  // namespace http
