#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "async/clock.h"
#include "async/event.h"
#include "net/stream.h"
#include "portforward/spdy_session.h"

namespace portforward {

class SpdyStream;

/// Drives a SpdySession over a stream.
///
/// Each stream has a bounded backlog. The peer may know no windows (SpdySession), so that one slow
/// reader can only be held by not reading the connection at all: then congested() is true, and who
/// needs another stream opens another connection. A reader that takes nothing for two ticks while
/// other streams share the connection is reset.
/// Flow: run() in a task of its own; open() streams; close(); the task ends. Outlives its streams.
/// Thread: that of the loop.
class SpdyConnection {
 public:
  struct Options {
    std::uint32_t window = 1024 * 1024;  // bytes, of each stream: also the bound of its backlog
    std::size_t output = 256 * 1024;     // bytes that wait to be sent
    async::Duration tick = std::chrono::seconds(5);  // between pings
    int silent_ticks = 6;                            // without an answer: the connection is dead
    std::size_t streams_of_one_user = 2;  // so many streams stall together without harm to others
    std::function<void()> on_stall;       // a stalled stream was reset; may be empty
  };

  /// `clock` outlives the connection.
  SpdyConnection(async::Executor executor, async::Clock& clock, std::unique_ptr<net::Stream> stream,
                 Options options);
  ~SpdyConnection();

  /// Until the connection ends, whoever ends it; its streams are lost then. Returns why.
  /// `first_bytes` came before what the stream has.
  async::Task<void> run(std::string first_bytes);
  /// Code::unavailable when the connection takes no more streams.
  base::Result<std::unique_ptr<SpdyStream>> open(const SpdyHeaders& headers);
  /// Ends the connection at once; run() returns with `reason`.
  void close(base::Error reason);

  /// Something was not answered in time: congested() until the next bytes have come.
  void doubt() { silent_ = std::max(silent_, 1); }

  bool usable() const { return !ended_ && session_.can_open(); }
  /// A stream's reader, or the peer, does not keep up or does not answer: everybody on the
  /// connection waits for it.
  bool congested() const { return paused_ || writes_stuck_ || silent_ > 0; }
  std::size_t streams() const { return session_.streams(); }
  std::string peer() const { return stream_->peer(); }

 private:
  friend class SpdyStream;

  async::Task<void> read_loop();
  async::Task<void> write_loop();
  async::Task<void> keep_alive();
  async::Task<void> until_read();
  SpdyStream* stalled() const;
  void reset_stalled();
  void look_at_streams();
  void watch_writes();
  bool room_for(std::uint32_t id) const;
  void flush() { output_.notify_all(); }

  async::Executor executor_;
  async::Clock& clock_;
  std::unique_ptr<net::Stream> stream_;
  Options options_;
  SpdySession session_;
  std::set<SpdyStream*> open_streams_;
  async::Event output_;   // there is something to send
  async::Event room_;     // something was sent, or a window grew
  async::Event drained_;  // a backlog was taken
  std::optional<base::Error> ended_;
  bool paused_ = false;
  bool writes_stuck_ = false;
  int silent_ = 0;  // ticks without an answer
  std::uint64_t written_ = 0;
  std::uint64_t written_at_tick_ = 0;
  std::uint64_t received_ = 0;
};

/// One stream of a SpdyConnection. One reader and one writer at a time. Destroyed before both sides
/// have finished, it resets the stream.
class SpdyStream : private SpdyStreamEvents {
 public:
  ~SpdyStream() override;
  SpdyStream(const SpdyStream&) = delete;
  SpdyStream& operator=(const SpdyStream&) = delete;

  /// Returns once the peer has taken the stream. Servers drop what is written before.
  async::Task<void> replied();
  /// The next bytes; an empty buffer is the end.
  async::Task<base::Buffer> read();
  async::Task<void> write(base::Bytes bytes);
  /// No more will be written.
  void finish();
  /// Reads and writes in progress end with `reason`.
  void reset(base::Error reason);

  bool ended() const { return ended_; }
  const std::optional<base::Error>& lost() const { return lost_; }

 private:
  friend class SpdyConnection;
  SpdyStream(SpdyConnection& connection, const SpdyHeaders& headers);

  void on_reply() override;
  void on_data(base::Bytes bytes) override;
  void on_end() override;
  void on_lost(const base::Error& error) override;
  std::size_t backlog() const { return backlog_.size(); }
  async::Task<void> writable();

  SpdyConnection& connection_;
  async::Event changed_;
  base::BufferQueue backlog_;
  std::uint32_t id_;
  std::uint64_t taken_ = 0;
  std::uint64_t taken_at_tick_ = 0;
  int stalled_ticks_ = 0;  // in a row, with a full backlog of which nothing was taken
  bool replied_ = false;
  bool ended_ = false;
  std::optional<base::Error> lost_;
};

}  // namespace portforward
