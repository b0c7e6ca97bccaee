#pragma once

#include <cstddef>

#include "base/buffer.h"

namespace tunnel {

/// The way of one connection's bytes into a link. Bounded by its user, who stops reading its source
/// while full() and is told by its owner when there is room again. Thread: that of the loop.
class Outlet {
 public:
  /// The most bytes to put into one block: with the head that a link puts in front, a block is one
  /// full frame then.
  static constexpr std::size_t kBlock = base::Buffer::kBlock - base::Buffer::kHeadroom;

  virtual ~Outlet() = default;
  /// Takes the bytes, not empty, in a buffer with at least Buffer::kHeadroom of headroom. Dropped
  /// when the way has ended.
  virtual void push(base::Buffer bytes) = 0;
  /// How many bytes it should be given now; one block may go beyond. 0 = full.
  virtual std::size_t space() const = 0;
  bool full() const { return space() == 0; }
};

}  // namespace tunnel
