#pragma once

#include <cstddef>
#include <memory>

#include "async/event.h"
#include "net/stream.h"

namespace net::testing {

/// A connection in memory, with the hands of a test on the wire. Thread: that of the loop.
class Cable {
 public:
  /// Each direction holds `capacity` bytes; then its writer waits.
  explicit Cable(async::Executor executor, std::size_t capacity = 256 * 1024);

  /// The two ends, each taken once. They may outlive the cable. The other end of one that was
  /// closed reads what was written before, then the end; of one that was aborted a reset.
  std::unique_ptr<Stream> first() { return std::move(first_); }
  std::unique_ptr<Stream> second() { return std::move(second_); }

  /// Both ends see a reset.
  void cut();
  /// Nothing arrives any more at either end, until thaw().
  void freeze() { set_frozen(true); }
  void thaw() { set_frozen(false); }

 private:
  struct Direction;
  class End;
  void set_frozen(bool frozen);

  std::shared_ptr<Direction> there_, back_;
  std::unique_ptr<Stream> first_, second_;
};

}  // namespace net::testing
