#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/clock.h"
#include "base/buffer.h"
#include "base/result.h"
#include "http/connection_window.h"
#include "http/crowd.h"
#include "http/header.h"

using nghttp2_session = struct nghttp2_session;

namespace http {

/// The value of the first field `name`, or nullptr.
const std::string* find(const Headers& headers, std::string_view name);
/// How often `name` occurs.
std::size_t count(const Headers& headers, std::string_view name);

/// Error codes of RFC 9113, section 7, that we send.
enum class H2Error : std::uint32_t {
  no_error = 0,
  protocol = 1,
  internal = 2,
  refused_stream = 7,
  cancel = 8,
  connect = 10,
  enhance_your_calm = 11,
  connection_lost = 0xffff'ffff  // never on the wire: the connection ended before the stream
};

class H2Session;
class H2Stream;

/// What the owner of a stream hears. It may call any method of the stream meanwhile, but not the
/// session's receive() or produce().
class H2StreamHandler {
 public:
  virtual ~H2StreamHandler() = default;
  /// Response headers on the client's side; trailers on either side.
  virtual void on_headers(const Headers& headers) = 0;
  /// Bytes of the body, views into the receive buffer: as many frames as came at once. The peer may
  /// send as many more only after H2Stream::consume(): whoever cannot take more holds that back.
  virtual void on_data(base::Pieces pieces) = 0;
  /// The peer will send no more.
  virtual void on_end() = 0;
  /// So many queued bytes have left the queue for the transport since the last call.
  virtual void on_sent(std::size_t) {}
  /// Fewer than H2Stream::kLowWater bytes wait to be sent.
  virtual void on_drained() = 0;
  /// The last call: stream and handler are destroyed after it. `error` is that of RST_STREAM, 0 for
  /// a normal end.
  virtual void on_close(std::uint32_t error) = 0;
};

/// One HTTP/2 stream. Owned by its session.
class H2Stream {
 public:
  static constexpr std::size_t kLowWater = 64 * 1024;

  H2Stream(H2Session& session, std::int32_t id);
  H2Stream(const H2Stream&) = delete;
  H2Stream& operator=(const H2Stream&) = delete;

  /// The server's response headers, once.
  void respond(const Headers& headers);
  /// A response that is over with its headers.
  void respond_and_end(const Headers& headers);
  /// Queues bytes of the body; whole blocks are not copied.
  void send(base::Buffer bytes);
  void send(base::Bytes bytes);
  /// Ends our direction after all queued bytes, with trailers if there are any.
  void end(Headers trailers = {});
  void reset(H2Error error);
  /// Lets the peer send `count` more bytes on this stream.
  void consume(std::size_t count);
  /// For tunnels (CONNECT), at the server: the end of our direction leaves the other one open.
  void allow_half_close(bool on = true) { half_close_ = on; }

  std::size_t queued() const { return queue_.size(); }
  /// How much more to queue where `limit` bytes may wait: more than that as far as the peer's
  /// windows let it go at once.
  std::size_t space(std::size_t limit) const;
  std::int32_t id() const { return id_; }
  H2Session& session() { return session_; }

 private:
  friend class H2Session;
  friend struct H2Callbacks;
  void wake();
  void widen();
  void schedule_as(bool bulk);

  H2Session& session_;
  std::int32_t id_;
  std::unique_ptr<H2StreamHandler> handler_;
  Headers incoming_;
  std::size_t incoming_size_ = 0;  // as SETTINGS_MAX_HEADER_LIST_SIZE counts
  base::BufferQueue queue_;
  Headers trailers_;
  bool ending_ = false;
  bool deferred_ = false;  // nghttp2 waits for resume
  bool half_close_ = false;
  bool bulk_ = false;
  bool drained_ = false;           // since the owner was told last
  std::size_t sent_ = 0;           // bytes since the owner was told last
  std::size_t sent_in_a_row_ = 0;  // bytes since the queue was last empty
  std::uint32_t window_ = 0;       // what the peer may have under way; 0 = as the session began
  std::size_t consumed_ = 0;       // bytes since the last look at the window
  async::TimePoint looked_{};
  Crowd::Member place_;  // among those that the peer sends
};

/// An HTTP/2 connection without I/O (RFC 9113) over libnghttp2: bytes in, events out, bytes out.
///
/// The connection's receive window is credited on receipt, that of a stream by its owner: a stream
/// that is not read never blocks the others. With a WindowPolicy a stream's window doubles when
/// half of it is used up within a round trip, and that of the connection is a ConnectionWindow.
/// Sending streams take turns; one whose queue has just been empty goes before those that always
/// have more. HTTP semantics (which headers must be there) are the business of the layer above; a
/// block of headers beyond Options::header_limit resets its stream.
/// Thread: that of the loop.
class H2Session {
 public:
  enum class Role { client, server };
  /// How far the windows of streams may grow. The references outlive the session.
  struct WindowPolicy {
    async::Clock& clock;
    base::MemoryBudget& grown;  // bytes of all windows beyond their start
    std::uint32_t largest;      // bytes, one stream
  };
  struct Options {
    Role role = Role::server;
    std::uint32_t stream_window = 1 << 20;       // bytes
    std::uint32_t connection_window = 16 << 20;  // bytes; with `windows` what it may grow to
    std::uint32_t max_frame_size = 16384;        // largest frame we accept, bytes
    std::uint32_t header_limit = 16 << 20;       // bytes of one request's fields (RFC 9113, 6.5.2)
    std::uint32_t max_streams = 0;               // that the peer may have open; 0 = does not say
    const WindowPolicy* windows = nullptr;       // null = windows stay as they are
    base::MemoryBudget* budget = nullptr;        // counts what waits to be sent
    // Messages that break RFC 9113, 8 pass instead of resetting their stream: for peers that write
    // into :authority what is none.
    bool any_message = false;
  };
  /// What the owner of the session hears, with the same restriction as H2StreamHandler.
  class Events {
   public:
    virtual ~Events() = default;
    /// A request. The handler that is returned hears the rest of the stream; null refuses it
    /// (RST_STREAM).
    virtual std::unique_ptr<H2StreamHandler> on_request(H2Stream& stream,
                                                        const Headers& headers) = 0;
    /// produce() has something to give, or the session is finished().
    virtual void on_output() = 0;
    virtual void on_ping_acknowledged() = 0;
    /// The peer will accept no new streams.
    virtual void on_goaway(std::uint32_t error) = 0;
  };

  H2Session(const Options& options, Events& events);
  ~H2Session();
  H2Session(const H2Session&) = delete;
  H2Session& operator=(const H2Session&) = delete;

  /// Takes bytes from the peer. An error means that the connection is beyond repair; a GOAWAY may
  /// wait in produce().
  base::Result<void> receive(base::Bytes bytes);
  /// Appends frames to `out` until it holds about `limit` bytes or there is nothing to say.
  base::Result<void> produce(base::BufferQueue& out, std::size_t limit);

  /// Opens a stream as a client.
  base::Result<H2Stream*> request(const Headers& headers, std::unique_ptr<H2StreamHandler> handler);
  /// The same for handlers that need their stream: `make` is called once, if the stream is opened.
  using MakeHandler = std::function<std::unique_ptr<H2StreamHandler>(H2Stream&)>;
  base::Result<H2Stream*> request(const Headers& headers, const MakeHandler& make);
  /// A request that is over with its headers.
  base::Result<H2Stream*> request_and_end(const Headers& headers, const MakeHandler& make);
  void ping();
  /// Bytes of somebody who says little and waits for the answer have come, in a stream that carries
  /// many connections. The session sees those that have a stream of their own.
  void note_interactive();
  /// The round trip as pings have measured it, near the shortest of late; zero when none has.
  async::Duration round_trip() const { return round_trip_; }
  /// The shortest of the last minutes: without the queue of a line that is full.
  async::Duration path() const { return connection_window_.path(); }
  /// Tells the peer that no new streams are accepted; existing ones go on.
  void goaway();
  /// Closes every stream towards its handler, as if the connection were lost. Call before the owner
  /// goes.
  void close_streams(H2Error error);

  /// Neither side has anything more to say.
  bool finished() const;
  /// Why the connection ends: what one side did wrong, if it says so, else `ordinary`.
  base::Error why_over(std::string_view ordinary) const;
  std::size_t streams() const { return streams_.size(); }

 private:
  friend class H2Stream;
  friend struct H2Callbacks;

  void submit_settings(const Options& options);
  base::Result<H2Stream*> open(const Headers& headers, const MakeHandler& make, bool ends);
  void announce_output();
  bool notify_sent();
  void ping_acknowledged(std::uint64_t payload);
  void measure(async::TimePoint now);
  void arrived(H2Stream* stream, std::size_t count);
  void collect(H2Stream& stream, base::Bytes bytes);
  void hand_over();
  void resize_connection_window(async::TimePoint now);
  void close_stream(std::int32_t id, std::uint32_t error);
  H2Stream* find_stream(std::int32_t id);

  Events& events_;
  Role role_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<std::int32_t, std::unique_ptr<H2Stream>> streams_;
  base::BufferQueue* out_ = nullptr;  // during produce()
  std::size_t out_limit_ = 0;
  H2Stream* receiving_ = nullptr;    // during receive(): whose pieces_ these are
  std::vector<base::Bytes> pieces_;  // not handed over yet
  std::vector<std::int32_t> sent_;   // streams with news for their owners
  std::string violation_;            // of the protocol, by whoever
  bool peer_left_ = false;           // by a GOAWAY
  bool odd_goaway_ = false;          // one that the library takes for a violation
  std::uint32_t header_limit_;
  std::uint32_t stream_window_;
  const WindowPolicy* windows_;
  Crowd crowd_;  // of the streams
  ConnectionWindow connection_window_;
  std::uint32_t connection_window_told_;
  base::MemoryBudget* budget_;
  std::deque<std::uint64_t> pings_;  // when those were made that are not answered
  async::Duration round_trip_{0};
  async::TimePoint measured_{};
};

}  // namespace http
