#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "async/clock.h"
#include "async/event.h"
#include "net/stream.h"
#include "portforward/spdy_connection.h"

namespace portforward {

/// The two streams that port forwarding uses for one connection to a port.
struct StreamPair {
  std::unique_ptr<SpdyStream> data;
  std::unique_ptr<SpdyStream> error;  // the far end says here why it failed
};

/// Opens them and waits until the peer has taken both. `request` tells pairs of one connection
/// apart. `connection` outlives the pair.
async::Task<StreamPair> open_pair(SpdyConnection& connection, std::uint16_t port,
                                  std::uint64_t request);

/// Joins a local connection with a port of a pod. Each direction ends on its own.
///
/// Flow: construct, co_await run() once. Guarantees: when the far end fails, the local connection
/// is reset, so that nobody takes a part for the whole. The references outlive the tunnel.
class Tunnel {
 public:
  Tunnel(async::Executor executor, async::Clock& clock, net::Stream& local, StreamPair& pair);

  /// Until both directions have ended. Fails with what the far end said, or what broke.
  async::Task<void> run();

  std::uint64_t bytes_up() const { return up_; }
  std::uint64_t bytes_down() const { return down_; }

 private:
  async::Task<void> carry_up();
  async::Task<void> carry_down();
  async::Task<void> watch_error();
  async::Task<void> up();
  async::Task<void> down();
  async::Task<void> leave_local();
  async::Task<void> until_up_ended();
  void fail(base::Error error);

  async::Clock& clock_;
  net::Stream& local_;
  StreamPair& pair_;
  async::Event changed_;
  std::uint64_t up_ = 0;
  std::uint64_t down_ = 0;
  bool up_ended_ = false;
  bool down_ended_ = false;
  bool left_ = false;  // what the local side still says interests nobody
  std::optional<base::Error> failure_;
  std::string message_;  // of the far end
};

}  // namespace portforward
