#pragma once

#include <cstddef>
#include <cstdint>

#include "async/clock.h"

namespace tunnel {

/// Whether a link carries so much over so long a way that an agent should have more of them. What a
/// TCP connection may have under way is bounded by its send buffer (tcp_wmem, 4 MB on most
/// systems), so that one over 100 ms carries 40 MB/s whatever the line could: only further
/// connections carry more. See docs/protocol.md, 8. Thread: that of its owner.
class PathLoad {
 public:
  /// One link for so much of a round trip: 160 MB/s of all links together.
  static constexpr async::Duration kPathOfLink = std::chrono::milliseconds(25);
  /// A link with less under way does not need company; bytes.
  static constexpr std::uint64_t kMuch = 1 << 20;
  static constexpr async::Duration kSample = std::chrono::seconds(1);

  /// How many links the agent should have; 1 where one is enough, or the last answer is too recent
  /// to tell. `carried`: bytes of both directions, ever. `path`: its round trip without queues,
  /// zero when not known.
  std::size_t links_wanted(async::TimePoint now, std::uint64_t carried, async::Duration path);

 private:
  async::TimePoint sampled_{};
  std::uint64_t carried_ = 0;
};

}  // namespace tunnel
