#pragma once

#include <memory>
#include <optional>

#include "async/event.h"
#include "http/h2_connection.h"
#include "tunnel/agent/connect_stream.h"
#include "tunnel/agent/link_connections.h"
#include "tunnel/agent/link_protocol.h"

namespace tunnel {

/// A link that speaks konnectivity: one gRPC call which carries the packets of all connections.
class KonnectivityLink : public LinkProtocol,
                         private http::H2Connection::Handler,
                         private ConnectStream::Owner {
 public:
  static constexpr async::Duration kHeadersLimit = std::chrono::seconds(15);
  static constexpr async::Duration kPingPatience = std::chrono::seconds(20);

  struct Options {
    Introduction introduction;
    std::string authority;  // the server as it was named: "hub.example:8091"
    async::Duration keepalive = std::chrono::hours(1);
  };

  /// The references must outlive the link.
  KonnectivityLink(AgentContext& context, Listener& listener, Options options);

  async::Task<void> run(std::unique_ptr<net::Stream> stream) override;
  void disconnect() override { http_.reset(); }
  void drain() override;
  void stop() override { connections_.stop(); }
  async::Task<void> until_idle() override { return connections_.until_idle(); }
  async::Awaitable<void> join() override { return connections_.join(); }

 private:
  http::Headers request_headers() const;
  std::unique_ptr<ConnectStream> make_call(http::H2Stream& stream);
  async::Task<void> wait_for_welcome();
  async::Task<void> tick_congestion();
  base::Error reason(const base::Error& end) const;

  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream&,
                                                    const http::Headers&) override {
    return nullptr;  // servers ask nothing
  }
  void on_goaway(std::uint32_t) override { listener_.on_going_away(); }
  void on_response_headers(const http::Headers& headers) override;
  void on_call_ended(const grpc::Status& status) override;
  void on_congested() override { congested_.notify_all(); }

  AgentContext& context_;
  Listener& listener_;
  Options options_;
  std::optional<grpc::Status> call_status_;  // how the server ended the call
  bool welcomed_ = false;
  async::Event changed_;
  async::Event congested_;
  LinkConnections connections_;
  std::unique_ptr<http::H2Connection> http_;
};

}  // namespace tunnel
