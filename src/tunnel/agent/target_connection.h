#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/event.h"
#include "net/socket_stream.h"
#include "tunnel/agent/context.h"
#include "tunnel/agent/target.h"
#include "tunnel/link_sender.h"
#include "tunnel/relay.h"

namespace tunnel {

class LinkConnections;

/// One dial that a server asked for and the connection that came of it, from DIAL_REQ to CLOSE_RSP.
///
/// Flow: run() dials, answers, and carries bytes until either side closes; what the server sent
/// before is written to the target, and what the target sent goes to the server, before run()
/// returns.
/// Guarantees: DIAL_RSP, then DATA, then one CLOSE_RSP; nothing after a cancelled dial.
/// Ownership: its task's. The references outlive it. Thread: that of the loop.
class TargetConnection : private Relay::Listener, private Flow::Owner {
 public:
  struct Request {
    std::int64_t connect_id = 0;
    std::int64_t random = 0;
    TargetRequest target;
  };

  TargetConnection(AgentContext& context, LinkConnections& link, Request request);
  ~TargetConnection() override;

  async::Task<void> run();

  /// While dialing only.
  void cancel_dial();
  /// The following while established only.
  void deliver(base::Bytes bytes);
  /// The server closes the connection.
  void close();
  void link_lost();

  std::int64_t connect_id() const { return request_.connect_id; }
  std::int64_t random() const { return request_.random; }

 private:
  // Why the connection ended; also the label in the metrics.
  enum class End { none, client, target, server_lost, overflow };
  struct Channel;

  async::Task<net::Socket> dial();
  void dial_failed(const base::Error& error);
  async::Task<void> carry(net::Socket socket);
  void establish(net::Socket socket);
  void end(End why, const std::string& error);
  async::Task<void> flow_sent();
  void log_end(std::string_view message) const;
  static std::string_view name(End why);

  void on_read(std::size_t bytes) override;
  void on_read_end(Relay::ReadEnd read_end) override;
  void on_written(std::size_t count) override;
  void on_flow_drained() override;

  AgentContext& context_;
  LinkConnections& link_;
  Request request_;
  async::TimePoint started_;
  async::Event changed_;
  net::Dial* dial_ = nullptr;  // while dialing
  bool cancelled_ = false;
  End end_ = End::none;
  std::string error_;
  std::unique_ptr<Channel> channel_;
};

}  // namespace tunnel
