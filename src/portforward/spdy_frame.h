#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "portforward/spdy_headers.h"

/// Frames of SPDY/3.1, the protocol of Kubernetes' port forwarding.
namespace portforward {

enum class SpdyStatus : std::uint32_t {
  protocol_error = 1,
  invalid_stream = 2,
  refused_stream = 3,
  cancel = 5,
  internal_error = 6,
  flow_control_error = 7,
};

inline constexpr std::size_t kLargestSpdyData = 0xff'ffff;  // bytes in one DATA frame

struct SpdySynStream {
  std::uint32_t stream = 0;
  SpdyHeaders headers;
  bool fin = false;
};
struct SpdySynReply {
  std::uint32_t stream = 0;
  SpdyHeaders headers;
  bool fin = false;
};
struct SpdyReset {
  std::uint32_t stream = 0;
  std::uint32_t status = 0;
};
struct SpdySettings {
  std::optional<std::uint32_t> initial_window;
};
struct SpdyPing {
  std::uint32_t id = 0;
};
struct SpdyGoAway {
  std::uint32_t last_stream = 0;
};
struct SpdyMoreHeaders {
  std::uint32_t stream = 0;
  bool fin = false;
};
struct SpdyWindowUpdate {
  std::uint32_t stream = 0;  // 0 = the connection
  std::uint32_t delta = 0;
};
/// A DATA frame comes in as many parts as the bytes came in; `fin` is on the last one only.
struct SpdyData {
  std::uint32_t stream = 0;
  base::Bytes bytes;  // of the input
  bool fin = false;
};

using SpdyFrame = std::variant<SpdySynStream, SpdySynReply, SpdyReset, SpdySettings, SpdyPing,
                               SpdyGoAway, SpdyMoreHeaders, SpdyWindowUpdate, SpdyData>;

/// Cuts a stream of bytes into frames. No I/O. Control frames of unknown type are skipped, as SPDY
/// demands. An error is the end: what follows cannot be understood.
class SpdyDecoder {
 public:
  /// Takes the next frame off the front of `input`; nothing when all of it was taken without
  /// completing one. Code::invalid for what is no SPDY/3.
  base::Result<std::optional<SpdyFrame>> next(base::Bytes& input);

 private:
  enum class State { head, control, data, skip };
  using Next = base::Result<std::optional<SpdyFrame>>;

  bool gather(base::Bytes& input, std::size_t size);
  base::Result<void> begin_frame();
  Next finish_control();
  SpdyFrame take_data(base::Bytes& input);
  Next parse(base::Bytes body);
  base::Result<SpdyHeaders> headers(base::Bytes block) { return header_decoder_.decode(block); }

  State state_ = State::head;
  std::string gathered_;      // of a frame's head, or of a control frame's body
  std::uint16_t type_ = 0;    // of the control frame
  std::uint8_t flags_ = 0;    // of the frame
  std::uint32_t stream_ = 0;  // of the DATA frame
  std::size_t left_ = 0;      // bytes of the frame that are still to come
  SpdyHeaderDecoder header_decoder_;
};

/// Writes frames. The order of SYN_STREAM calls is the order in which they have to be sent.
class SpdyEncoder {
 public:
  std::string syn_stream(std::uint32_t stream, const SpdyHeaders& headers);
  std::string syn_reply(std::uint32_t stream, const SpdyHeaders& headers);
  static std::string reset(std::uint32_t stream, SpdyStatus status);
  static std::string settings_initial_window(std::uint32_t bytes);
  static std::string ping(std::uint32_t id);
  static std::string go_away(std::uint32_t last_stream);
  static std::string window_update(std::uint32_t stream, std::uint32_t delta);
  /// The eight bytes in front of `size` bytes of data.
  static std::string data_head(std::uint32_t stream, std::size_t size, bool fin);

 private:
  SpdyHeaderEncoder header_encoder_;
};

}  // namespace portforward
