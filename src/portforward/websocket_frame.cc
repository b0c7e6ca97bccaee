#include "portforward/websocket_frame.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <openssl/sha.h>

#include "base/id.h"
#include "http/base64.h"
#include "portforward/big_endian.h"

namespace portforward {

namespace {

using base::Bytes;
using base::Code;
using base::fail;

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kOpcodeBits = 0x0f;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kSizeBits = 0x7f;
constexpr std::size_t kLargestControl = 125;
constexpr std::string_view kAcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3

bool is_control(WebSocketOpcode opcode) { return opcode >= WebSocketOpcode::close; }

bool is_known(std::uint8_t opcode) {
  constexpr std::array<std::uint8_t, 5> kKnown = {0, 2, 8, 9, 10};
  return std::ranges::find(kKnown, opcode) != kKnown.end();
}

}  // namespace

bool WebSocketDecoder::gather(Bytes& input, std::size_t size) {
  const auto count = std::min(size - std::min(size, gathered_.size()), input.size());
  gathered_ += base::as_text(input.first(count));
  input = input.subspan(count);
  return gathered_.size() >= size;
}

// As far as known: the second byte tells how long the size is.
std::size_t WebSocketDecoder::head_size() const {
  if (gathered_.size() < 2) return 2;
  const auto size = static_cast<std::uint8_t>(gathered_[1]) & kSizeBits;
  return size == 127 ? 10 : size == 126 ? 4 : 2;
}

base::Result<void> WebSocketDecoder::check_head(std::uint8_t first, std::uint8_t second) const {
  const std::uint8_t opcode = first & kOpcodeBits;
  if ((first & kReserved) != 0 || !is_known(opcode)) {
    return fail(Code::invalid, fmt::format("a WebSocket frame of unknown kind ({:#x})", first));
  }
  if ((second & kMasked) != 0) return fail(Code::invalid, "a masked WebSocket frame of a server");
  const bool fits = (first & kFinal) != 0 && (second & kSizeBits) <= kLargestControl;
  if (is_control(static_cast<WebSocketOpcode>(opcode)) && !fits) {
    return fail(Code::invalid, "a WebSocket control frame that is too large or in parts");
  }
  return {};
}

base::Result<void> WebSocketDecoder::begin_frame() {
  const auto head = base::as_bytes(gathered_);
  TRY_VOID(check_head(head[0], head[1]));
  opcode_ = static_cast<WebSocketOpcode>(head[0] & kOpcodeBits);
  left_ = head[1] & kSizeBits;
  if (head.size() == 4) left_ = read_u16(head.subspan(2));
  if (head.size() == 10) left_ = read_u64(head.subspan(2));
  if (left_ >> 63 != 0) return fail(Code::invalid, "a WebSocket frame of impossible size");
  gathered_.clear();
  in_payload_ = true;
  return {};
}

base::Result<std::optional<WebSocketPart>> WebSocketDecoder::next(Bytes& input) {
  for (;;) {
    if (!in_payload_) {
      // Twice, since the size of the head is in the head.
      if (!gather(input, head_size()) || !gather(input, head_size())) return std::nullopt;
      TRY_VOID(begin_frame());
    }
    if (is_control(opcode_)) {
      if (!gather(input, left_)) return std::nullopt;
      in_payload_ = false;
      return WebSocketPart{opcode_, {}, std::exchange(gathered_, {})};
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
    WebSocketPart part{WebSocketOpcode::binary, input.first(count), {}};
    input = input.subspan(count);
    left_ -= count;
    in_payload_ = left_ > 0;
    if (count > 0) return part;
    if (in_payload_) return std::nullopt;
  }
}

std::string websocket_frame(WebSocketOpcode opcode, Bytes payload, std::uint32_t mask) {
  std::string frame;
  frame.reserve(payload.size() + 14);
  frame += static_cast<char>(kFinal | static_cast<std::uint8_t>(opcode));
  if (payload.size() <= kLargestControl) {
    frame += static_cast<char>(kMasked | payload.size());
  } else if (payload.size() <= 0xffff) {
    frame += static_cast<char>(kMasked | 126);
    append_u16(frame, static_cast<std::uint16_t>(payload.size()));
  } else {
    frame += static_cast<char>(kMasked | 127);
    append_u64(frame, payload.size());
  }
  std::string key;
  append_u32(key, mask);
  frame += key;
  const std::size_t begin = frame.size();
  frame += base::as_text(payload);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame[begin + i] = static_cast<char>(frame[begin + i] ^ key[i % 4]);
  }
  return frame;
}

std::string websocket_key() {
  std::string bytes;
  append_u64(bytes, base::random_u64());
  append_u64(bytes, base::random_u64());
  return http::base64_encode(bytes);
}

std::string websocket_accept(const std::string& key) {
  const std::string text = key + std::string(kAcceptSuffix);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return http::base64_encode(base::as_text(digest));
}

std::string websocket_close_reason(const std::string& payload) {
  if (payload.size() < 2) return "no reason given";
  return fmt::format("{} {}", read_u16(base::as_bytes(payload)),
                     std::string_view(payload).substr(2));
}

}  // namespace portforward
