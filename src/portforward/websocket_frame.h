#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

/// WebSocket (RFC 6455) as far as a client needs it that exchanges binary messages only.
namespace portforward {

enum class WebSocketOpcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

/// Part of a binary message, or a whole control frame.
struct WebSocketPart {
  WebSocketOpcode opcode = WebSocketOpcode::binary;
  base::Bytes bytes;    // of a binary message: of the input
  std::string control;  // the payload of a control frame
};

/// Cuts what a server sends into parts. No I/O. The bounds of messages are lost: they mean nothing
/// to a stream of bytes. An error is the end.
class WebSocketDecoder {
 public:
  /// Takes the next part off the front of `input`; nothing when all of it was taken without
  /// completing one.
  base::Result<std::optional<WebSocketPart>> next(base::Bytes& input);

 private:
  bool gather(base::Bytes& input, std::size_t size);
  std::size_t head_size() const;
  base::Result<void> begin_frame();
  base::Result<void> check_head(std::uint8_t first, std::uint8_t second) const;

  bool in_payload_ = false;
  std::string gathered_;  // of a head, or of a control frame's payload
  WebSocketOpcode opcode_ = WebSocketOpcode::binary;
  std::uint64_t left_ = 0;  // bytes of the payload that are still to come
};

/// A frame as a client sends it: final and masked with `mask`.
std::string websocket_frame(WebSocketOpcode opcode, base::Bytes payload, std::uint32_t mask);

/// Sec-WebSocket-Key for 16 random bytes, and the Sec-WebSocket-Accept that answers it.
std::string websocket_key();
std::string websocket_accept(const std::string& key);

/// The reason in the payload of a close frame, for people: "1001 going away".
std::string websocket_close_reason(const std::string& payload);

}  // namespace portforward
