#pragma once

#include <memory>
#include <optional>

#include "http/h2_session.h"
#include "tunnel/outlet.h"

namespace tunnel {

/// One end of a CONNECT stream (RFC 9113, 8.5) for an owner that may go before the stream does, or
/// after it.
///
/// Flow: construct; attach() when the stream is there; push() and consumed() until both directions
/// have ended, or reset() at any time.
/// Guarantees: the owner hears on_bytes() in order, then one of on_end() and on_reset(); nothing
/// after on_reset(), and nothing after reset(). The destructor resets a stream that is not over.
/// Thread: that of the loop.
class TunnelStream : public Outlet {
 public:
  /// Bytes that wait for the peer's window at most, before full().
  static constexpr std::size_t kHigh = 256 * 1024;

  class Owner {
   public:
    virtual ~Owner() = default;
    /// The answer, at the client's end. It may call any method of the stream.
    virtual void on_answer(const http::Headers&) {}
    /// Views into the receive buffer. The peer sends on only as consumed() is called.
    virtual void on_bytes(base::Pieces pieces) = 0;
    /// No more bytes come; ours may go on.
    virtual void on_end() = 0;
    /// The stream has broken, or was lost with its connection.
    virtual void on_reset(http::H2Error error) = 0;
    /// No longer full().
    virtual void on_room() = 0;
  };

  /// `owner` must outlive the object.
  explicit TunnelStream(Owner& owner) : owner_(owner) {}
  ~TunnelStream() override;
  TunnelStream(const TunnelStream&) = delete;
  TunnelStream& operator=(const TunnelStream&) = delete;

  /// Binds `stream`; the result is the stream's handler.
  std::unique_ptr<http::H2StreamHandler> attach(http::H2Stream& stream);

  void push(base::Buffer bytes) override;
  std::size_t space() const override;
  /// No bytes come after those that were pushed.
  void finish();
  void reset(http::H2Error error);
  /// No more is pushed, and nobody listens: what was pushed still goes, and the stream ends with
  /// the peer's direction; if bytes of the peer come instead, it is reset.
  void leave();
  /// Answers with `headers` alone, at the server's end, and is over.
  void refuse(const http::Headers& headers);
  /// The owner's reader took so many of the bytes, or they were dropped.
  void consumed(std::size_t count);

  /// Null once the stream is over.
  http::H2Stream* stream() const { return stream_; }
  bool finished() const { return finished_; }

 private:
  class Handler;

  Owner& owner_;
  http::H2Stream* stream_ = nullptr;
  Handler* handler_ = nullptr;
  bool finished_ = false;  // our direction
  bool ended_ = false;     // the peer's
};

}  // namespace tunnel
