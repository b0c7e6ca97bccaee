#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace base {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

/// Bytes that lie in several places and belong together, in order. A view for parameters: one that
/// is made of a single run of bytes ends with the call.
class Pieces {
 public:
  Pieces(const Bytes& whole) : pieces_(&whole, 1) {}
  Pieces(std::span<const Bytes> pieces) : pieces_(pieces) {}

  /// In bytes.
  std::size_t size() const {
    std::size_t total = 0;
    for (const Bytes piece : pieces_) total += piece.size();
    return total;
  }
  auto begin() const { return pieces_.begin(); }
  auto end() const { return pieces_.end(); }

 private:
  std::span<const Bytes> pieces_;
};

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace base
