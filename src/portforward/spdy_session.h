#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/buffer.h"
#include "base/error.h"
#include "portforward/spdy_frame.h"

namespace portforward {

/// Hears what comes on one stream. Must not call the session for another stream.
class SpdyStreamEvents {
 public:
  virtual ~SpdyStreamEvents() = default;
  /// The peer has taken the stream: from here on it may be written to.
  virtual void on_reply() = 0;
  virtual void on_data(base::Bytes bytes) = 0;
  /// The peer has no more to say.
  virtual void on_end() = 0;
  /// The stream is lost, alone or with its connection; the last call.
  virtual void on_lost(const base::Error& error) = 0;
};

/// The client's side of a SPDY/3.1 connection, without I/O: streams, windows, what has to be sent.
///
/// Windows. We announce one per stream and return what was consumed, until the peer is seen to
/// ignore them; we keep to the peer's once it has spoken of windows at all. Both, because the
/// servers of Kubernetes know no windows: docs/decisions/0018-port-forwarding.md.
/// Calls for a stream that has gone do nothing. Thread: that of the loop.
class SpdySession {
 public:
  explicit SpdySession(std::uint32_t window);

  /// Sends SYN_STREAM. `events` is told until the stream has ended both ways, was reset or lost.
  std::uint32_t open(const SpdyHeaders& headers, SpdyStreamEvents& events);
  /// False once the peer is going away or the numbers are used up.
  bool can_open() const { return !going_away_ && next_stream_ < kLastStream; }

  /// Bytes that may be sent on the stream now.
  std::size_t sendable(std::uint32_t stream) const;
  /// At most sendable() bytes and kLargestSpdyData.
  void send(std::uint32_t stream, base::Bytes bytes);
  void finish(std::uint32_t stream);
  void reset(std::uint32_t stream, SpdyStatus status);
  /// So many bytes of the stream have been taken off our hands.
  void consumed(std::uint32_t stream, std::size_t count);
  void ping();

  /// Bytes from the peer, in order. An error is the end of the connection: call lose_all().
  base::Result<void> receive(base::Bytes input);
  void lose_all(const base::Error& error);

  /// What has to be sent, in order.
  base::BufferQueue& output() { return output_; }
  const base::BufferQueue& output() const { return output_; }
  std::size_t streams() const { return streams_.size(); }
  bool going_away() const { return going_away_; }
  std::uint64_t pongs() const { return pongs_; }
  bool peer_ignores_windows() const { return peer_ignores_windows_; }

 private:
  static constexpr std::uint32_t kLastStream = 0x4000'0000;
  static constexpr std::int64_t kDefaultWindow = 64 * 1024;

  struct Stream {
    SpdyStreamEvents* events;
    std::int64_t send_window;
    std::int64_t receive_window;
    std::uint32_t unreported = 0;  // bytes consumed since the last WINDOW_UPDATE
    bool replied = false;
    bool finished = false;  // by us
    bool ended = false;     // by the peer
  };
  using Streams = std::map<std::uint32_t, Stream>;

  void queue(std::string_view bytes) { output_.append(base::as_bytes(bytes)); }
  void forget_if_over(std::uint32_t id);
  void end(std::uint32_t id);

  void handle(const SpdySynStream& frame);
  void handle(const SpdySynReply& frame);
  void handle(const SpdyReset& frame);
  void handle(const SpdySettings& frame);
  void handle(const SpdyPing& frame);
  void handle(const SpdyGoAway& frame);
  void handle(const SpdyMoreHeaders& frame);
  void handle(const SpdyWindowUpdate& frame);
  void handle(const SpdyData& frame);

  const std::uint32_t window_;
  SpdyDecoder decoder_;
  SpdyEncoder encoder_;
  base::BufferQueue output_;
  Streams streams_;
  std::uint32_t next_stream_ = 1;
  std::uint32_t next_ping_ = 1;
  std::uint64_t pongs_ = 0;
  bool going_away_ = false;

  bool peer_ignores_windows_ = false;
  bool peer_has_windows_ = false;
  bool peer_has_connection_window_ = false;
  std::int64_t peer_initial_window_ = kDefaultWindow;
  std::int64_t connection_window_ = kDefaultWindow;  // what we may send
};

}  // namespace portforward
