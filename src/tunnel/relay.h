#pragma once

#include <cstdint>
#include <string>

#include "async/clock.h"
#include "async/event.h"
#include "net/stream.h"
#include "tunnel/congestion.h"
#include "tunnel/delay_line.h"
#include "tunnel/outlet.h"
#include "tunnel/stall_watch.h"

namespace tunnel {

/// Joins a socket to one connection of a link: what is read from the socket goes into the
/// connection's Outlet, what the link delivers goes out of the socket.
///
/// Flow: construct; deliver() and finish() as the link has news; co_await run() once. run() returns
/// when the socket has taken all that was delivered before finish(), and with HalfClose::yes has
/// ended too; or when it is of no more use.
/// Guarantees: every delivered byte is written in order before run() returns, unless the socket
/// fails or abort(). The socket is read only while the outlet has room.
/// Assumptions: lives in the coroutine that awaits run(); the references outlive it.
class Relay : public Sink, private DelayLine::Entry {
 public:
  /// How the socket's reading side ended.
  enum class ReadEnd { none, eof, half_closed, failed };

  /// What the link makes of one direction that ends before the other.
  enum class HalfClose {
    no,      // any end of the socket is the end of the connection, after a last flush
    linger,  // after the socket's end the other direction stays open until it was silent for long
    yes,     // directions end on their own; finish() ends the socket's writing side
  };

  class Listener {
   public:
    virtual ~Listener() = default;
    /// Nothing more will be read from the socket: all of it is in the outlet.
    virtual void on_read_end(ReadEnd end) = 0;
    /// The socket took so many delivered bytes, or they were dropped since it takes no more.
    virtual void on_written(std::size_t count) = 0;
    /// Bytes of the socket went into the outlet.
    virtual void on_read(std::size_t) {}
  };

  struct Options {
    HalfClose half_close = HalfClose::no;
    async::Duration linger{0};  // for HalfClose::linger
    /// After its delay without room in the outlet the connection ends if the socket's peer has
    /// gone, or as soon as it goes: nothing that is read would tell. Null = the outlet is waited
    /// for.
    DelayLine* departures = nullptr;
  };

  Relay(async::Executor executor, net::Stream& socket, Outlet& outlet, async::Clock& clock,
        StallWatch& watch, base::MemoryBudget& budget, Listener& listener, const Options& options);
  ~Relay() override;

  /// Kept until run() begins: the socket's writing side may have other users before.
  void deliver(base::Pieces pieces);
  /// No more will be delivered.
  void finish();
  async::Task<void> run();
  /// The outlet has room again.
  void on_room();
  /// The outlet is about to go, and nobody takes what the socket still says: run() returns once it
  /// has taken what was delivered, and leaves it to its caller how the socket ends.
  void leave();
  /// Resets the socket: the connection has no good end.
  void abort(const std::string& reason);

  std::size_t backlog() const override { return queue_.size() + writing_; }
  std::uint64_t taken() const override { return bytes_written_; }
  void on_overload(const std::string& reason) override;

  ReadEnd read_end() const { return read_end_; }
  /// Why the socket failed, or what abort() said; empty if nothing failed.
  const std::string& failure() const { return failure_; }
  bool overloaded() const { return overloaded_; }
  bool aborted() const { return aborted_; }
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t bytes_written() const { return bytes_written_; }

 private:
  std::size_t write_now(base::Pieces pieces);
  void queue(base::Pieces pieces, std::size_t written);
  void wake();
  bool reads() const;
  bool must_write() const;
  bool must_shut() const;
  bool done() const;
  async::Task<void> wait_for_news();
  async::Task<void> wait_for_room();
  async::Task<void> wait_for_departure();
  void on_delay_over() override;
  async::Task<void> write_beside_reading();
  async::Task<void> read_on();
  void read_after(const base::Result<void>& wait);
  std::size_t read(std::size_t most_blocks);
  void end_reading(ReadEnd how);
  async::Task<void> linger();
  async::Task<void> silence();
  async::Task<void> write_out();
  async::Task<void> write_next();
  void stop_writing(std::string reason);

  net::Stream& socket_;
  Outlet* outlet_;  // null when it has gone
  async::Clock& clock_;
  StallWatch& watch_;
  Listener& listener_;
  Options options_;
  async::Event wake_;
  net::BlockReader reader_;
  base::BufferQueue queue_;
  bool running_ = false;
  std::size_t writing_ = 0;  // bytes in a write that has not returned
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bytes_written_ = 0;
  ReadEnd read_end_ = ReadEnd::none;
  std::string failure_;
  bool finished_ = false;
  bool write_failed_ = false;
  bool write_shut_ = false;  // with HalfClose::yes: the socket knows that no more comes
  bool lingered_ = false;
  bool leaving_ = false;
  bool stuck_ = false;  // the outlet had no room for long
  bool overloaded_ = false;
  bool aborted_ = false;
};

}  // namespace tunnel
