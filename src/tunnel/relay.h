#pragma once

#include <cstdint>
#include <string>

#include "async/clock.h"
#include "async/event.h"
#include "net/stream.h"
#include "tunnel/congestion.h"
#include "tunnel/link_sender.h"
#include "tunnel/stall_watch.h"

namespace tunnel {

/// Joins a socket to one connection of a link: what is read from the socket goes into the
/// connection's Flow as DATA packets, what the link delivers goes out of the socket.
///
/// Flow: construct; deliver() and finish() as packets come; co_await run() once. run() returns when
/// the socket has taken
///   all that was delivered before finish(), or the socket is of no more use.
/// Guarantees: every delivered byte is written in order before run() returns, unless the socket
/// fails or on_overload().
///   The socket is read only while the flow has room.
/// Assumptions: lives in the coroutine that awaits run(); the references outlive it.
class Relay : public Sink, public Flow::Owner {
 public:
  /// How the socket's reading side ended.
  enum class ReadEnd { none, eof, half_closed, failed };

  class Listener {
   public:
    virtual ~Listener() = default;
    /// Nothing more will be read from the socket: all of it is in the flow.
    virtual void on_read_end(ReadEnd end) = 0;
    /// The socket took delivered bytes.
    virtual void on_written() = 0;
    /// Bytes of the socket went into the flow.
    virtual void on_read(std::size_t) {}
  };

  struct Options {
    std::int64_t connect_id = 0;
    /// An end of the socket that may be half a close (the peer still reads) leaves the other
    /// direction open until that has been silent for so long. 0: every end of the socket is the end
    /// of the connection, after a last flush.
    async::Duration half_close_linger{0};
  };

  Relay(async::asio::any_io_executor executor, net::Stream& socket, Flow& flow, async::Clock& clock,
        StallWatch& watch, base::MemoryBudget& budget, Listener& listener, const Options& options);
  ~Relay() override;

  void deliver(base::Bytes bytes);
  /// No more will be delivered.
  void finish();
  async::Task<void> run();
  /// The flow is about to go; what the socket still says has no place any more.
  void detach_flow() { flow_ = nullptr; }

  std::size_t backlog() const override { return queue_.size() + writing_; }
  std::uint64_t taken() const override { return bytes_written_; }
  void on_overload(const std::string& reason) override;
  void on_flow_drained() override { wake_.notify_all(); }

  ReadEnd read_end() const { return read_end_; }
  /// Why the socket failed, or the overload; empty if nothing failed.
  const std::string& failure() const { return failure_; }
  bool overloaded() const { return overloaded_; }
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  async::Task<void> read_loop();
  async::Task<ReadEnd> read_to_end();
  async::Task<void> linger();
  async::Task<void> silence();
  async::Task<void> write_loop();
  async::Task<void> write_next();
  bool done() const;

  net::Stream& socket_;
  Flow* flow_;  // null when it has gone
  async::Clock& clock_;
  StallWatch& watch_;
  Listener& listener_;
  Options options_;
  async::Event wake_;
  base::BufferQueue queue_;
  std::size_t writing_ = 0;  // bytes in a write that has not returned
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
  ReadEnd read_end_ = ReadEnd::none;
  std::string failure_;
  bool finished_ = false;
  bool write_failed_ = false;
  bool lingered_ = false;
  bool overloaded_ = false;
};

}  // namespace tunnel
