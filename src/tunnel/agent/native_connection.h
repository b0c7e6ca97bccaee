#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tunnel/agent/target.h"
#include "tunnel/agent/tunnel_stream.h"
#include "tunnel/relay.h"

namespace tunnel {

/// One dial of a native link and the connection that came of it (docs/protocol.md, 4).
///
/// Flow: attach() to its stream, then run(): dials, answers, carries bytes until both directions
/// have ended or one breaks.
/// Guarantees: an end of file is passed on as one, a break as a break; each direction on its own.
/// Ownership: its task's; its stream may go before it. Thread: that of the loop.
class NativeConnection : private TunnelStream::Owner, private Relay::Listener {
 public:
  NativeConnection(AgentContext& context, TargetRequest request);
  ~NativeConnection() override;

  std::unique_ptr<http::H2StreamHandler> attach(http::H2Stream& stream) {
    return stream_.attach(stream);
  }
  async::Task<void> run();

 private:
  async::Task<bool> connect();
  async::Task<net::Socket> dial();
  void refuse(const base::Error& error);
  async::Task<void> carry();
  void establish(net::Socket socket);
  void finish(std::string_view message);

  void on_bytes(base::Pieces pieces) override;
  void on_end() override;
  void on_reset(http::H2Error error) override;
  void on_room() override;
  void on_read_end(Relay::ReadEnd end) override;
  void on_read(std::size_t count) override;
  void on_written(std::size_t count) override;

  AgentContext& context_;
  TargetRequest request_;
  async::TimePoint started_;
  net::Dial* dial_ = nullptr;            // while dialing
  std::optional<http::H2Error> broken_;  // how the stream did
  base::BufferQueue early_;              // bytes for the target that came before it was connected
  bool client_done_ = false;
  TargetEnd end_{.how = "none"};
  std::unique_ptr<net::Stream> socket_;
  std::optional<Relay> relay_;
  TunnelStream stream_;
};

}  // namespace tunnel
