#pragma once

#include <cstdint>
#include <optional>

#include "net/stream.h"

namespace tunnel::client {

/// Carries bytes between two streams, both ways, until both directions have ended.
///
/// Each direction ends on its own. When one stream breaks the other is reset, so that nobody takes
/// a part for the whole; one that has only stopped to take bytes, its own all said, is not broken,
/// unless bytes are lost there for a reason of its own (Code::io).
/// A stream is read only while the other takes: that is the back-pressure. The references outlive
/// it. Thread: that of the loop.
class Join {
 public:
  Join(net::Stream& near, net::Stream& far) : near_(near), far_(far) {}

  /// Once. Fails with what broke first.
  async::Task<void> run();

  std::uint64_t bytes_to_far() const { return up_.bytes; }
  std::uint64_t bytes_to_near() const { return down_.bytes; }
  /// Whether `far` has yet to take something: until then nobody sees `near` end.
  bool waits_for_far() const { return up_.writing; }

 private:
  struct Direction {
    net::Stream& from;
    net::Stream& to;
    std::uint64_t bytes = 0;  // carried
    bool ended = false;       // well
    bool writing = false;
    bool write_failed = false;  // at `to`
  };

  async::Awaitable<void> carry(Direction& direction, const Direction& other);
  static async::Task<void> carry_all(Direction& direction);

  net::Stream& near_;
  net::Stream& far_;
  Direction up_{near_, far_};
  Direction down_{far_, near_};
  std::optional<base::Error> failure_;
};

}  // namespace tunnel::client
