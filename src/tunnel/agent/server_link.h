#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "async/event.h"
#include "http/h2_connection.h"
#include "net/tls.h"
#include "tunnel/agent/connect_stream.h"
#include "tunnel/agent/link_connections.h"
#include "tunnel/agent/server_route.h"

namespace tunnel {

/// Who the agent is, for every server.
struct AgentIdentity {
  std::string agent_id;
  std::string identifiers;  // query string, maybe empty
  std::string token_file;   // read at every connect; empty = no token
};

/// One connection to one server, with the connections that it carries.
///
/// Flow: run() connects, says who the agent is, serves until the connection is lost, and returns
/// when the connections that it carried have flushed what they had.
/// Guarantees: run() ends by itself when the server does not answer in time.
/// Ownership: the Connector's. Thread: that of the loop.
class ServerLink : private http::H2Connection::Handler, private ConnectStream::Owner {
 public:
  static constexpr async::Duration kConnectLimit = std::chrono::seconds(10);
  static constexpr async::Duration kHandshakeLimit = std::chrono::seconds(10);
  static constexpr async::Duration kHeadersLimit = std::chrono::seconds(15);
  static constexpr async::Duration kPingPatience = std::chrono::seconds(20);

  enum class State {
    opening,
    open,        // the server has said who it is
    going_away,  // as open, but the server wants it to end
    lost,
  };

  struct Options {
    AgentIdentity identity;
    std::string server_name;  // that the certificate must carry
    async::Duration keepalive = std::chrono::hours(1);
  };

  /// What a server says of itself.
  struct Welcome {
    std::string server_id;
    int server_count = 0;
  };

  /// The TLS configuration for the next connection.
  using TlsSource = std::function<std::shared_ptr<const net::TlsContext>()>;

  /// All references must outlive the link. `on_change` is called after each change of state.
  ServerLink(AgentContext& context, const TlsSource& tls, const Options& options, ServerRoute route,
             std::function<void(ServerLink&)> on_change);

  async::Task<void> run();
  /// Ends the connection; those that it carries flush what they have.
  void close();
  /// As close(), but the connections that it carries are dropped at once.
  void stop();
  /// Tells the server, once, that this agent should get no more dials if another can have them.
  void drain();

  State state() const { return state_; }
  const ServerRoute& route() const { return route_; }
  const Welcome& welcome() const { return welcome_; }
  /// Why it is lost.
  const base::Error& error() const { return error_; }

 private:
  async::Task<void> serve();
  async::Task<std::unique_ptr<net::Stream>> secure_stream();
  base::Result<http::Headers> request_headers() const;
  std::unique_ptr<ConnectStream> make_call(http::H2Stream& stream);
  async::Task<void> wait_for_welcome();
  async::Task<void> wait_for_end();
  async::Task<void> tick_congestion();
  void end(base::Error why);
  base::Error reason(const base::Error& end) const;
  void set_state(State state);

  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream&,
                                                    const http::Headers&) override {
    return nullptr;  // servers ask nothing
  }
  void on_goaway(std::uint32_t error) override;
  void on_response_headers(const http::Headers& headers) override;
  void on_call_ended(const grpc::Status& status) override;
  void on_congested() override;

  AgentContext& context_;
  const TlsSource& tls_;
  const Options& options_;
  ServerRoute route_;
  std::function<void(ServerLink&)> on_change_;
  State state_ = State::opening;
  Welcome welcome_;
  std::optional<base::Error> ended_;         // why we ended it
  std::optional<grpc::Status> call_status_;  // how the server ended the call
  base::Error error_;
  bool draining_ = false;
  async::Event changed_;
  async::Event congested_;
  LinkConnections connections_;
  std::unique_ptr<http::H2Connection> http_;
};

}  // namespace tunnel
