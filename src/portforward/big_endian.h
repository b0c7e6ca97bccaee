#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

/// Numbers in network order.
namespace portforward {

inline void append_u16(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value);
}
inline void append_u24(std::string& out, std::uint32_t value) {
  out += static_cast<char>(value >> 16);
  append_u16(out, static_cast<std::uint16_t>(value));
}
inline void append_u32(std::string& out, std::uint32_t value) {
  append_u16(out, static_cast<std::uint16_t>(value >> 16));
  append_u16(out, static_cast<std::uint16_t>(value));
}
inline void append_u64(std::string& out, std::uint64_t value) {
  append_u32(out, static_cast<std::uint32_t>(value >> 32));
  append_u32(out, static_cast<std::uint32_t>(value));
}

/// At least two, three, four or eight bytes are there.
inline std::uint16_t read_u16(base::Bytes bytes) {
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}
inline std::uint32_t read_u24(base::Bytes bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 16 | read_u16(bytes.subspan(1));
}
inline std::uint32_t read_u32(base::Bytes bytes) {
  return static_cast<std::uint32_t>(read_u16(bytes)) << 16 | read_u16(bytes.subspan(2));
}
inline std::uint64_t read_u64(base::Bytes bytes) {
  return static_cast<std::uint64_t>(read_u32(bytes)) << 32 | read_u32(bytes.subspan(4));
}

}  // namespace portforward
