#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "async/event.h"
#include "net/tls.h"
#include "tunnel/agent/context.h"
#include "tunnel/agent/link_protocol.h"
#include "tunnel/agent/server_route.h"

namespace tunnel {

/// One connection to one server, with the connections that it carries.
///
/// Flow: run() connects, says who the agent is, serves until the connection is lost, and returns
/// when the connections that it carried have flushed what they had.
/// Guarantees: run() ends by itself when the server does not answer in time.
/// Ownership: the Connector's. Thread: that of the loop.
class ServerLink : private LinkProtocol::Listener {
 public:
  static constexpr async::Duration kConnectLimit = std::chrono::seconds(10);
  static constexpr async::Duration kHandshakeLimit = std::chrono::seconds(10);

  enum class State {
    opening,
    open,        // the server has said who it is
    silent,      // as open, but nothing has come for some time
    going_away,  // as open, but the server wants it to end, or another link has taken its place
    lost,
  };

  struct Options {
    AgentIdentity identity;
    std::string server_name;  // that the certificate must carry
    async::Duration keepalive = std::chrono::hours(1);
    int link_number = 0;  // not 0: a further link (SideLinks)
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
  /// Another link to the server has taken its place: as drain(), and it ends when it carries no
  /// connection.
  void retire();

  const LinksWanted& links_wanted() const { return links_wanted_; }
  State state() const { return state_; }
  const ServerRoute& route() const { return route_; }
  const Welcome& welcome() const { return welcome_; }
  /// Whether the server has said that it wants the link to end.
  bool announced() const { return announced_; }
  /// Why it is lost.
  const base::Error& error() const { return error_; }

 private:
  async::Task<void> serve();
  async::Task<std::unique_ptr<net::TlsStream>> secure_stream();
  std::unique_ptr<LinkProtocol> make_protocol(const std::string& alpn, Introduction self);
  async::Task<void> wait_for_end();
  async::Task<void> wait_for_retirement();
  void end(base::Error why);
  void set_state(State state);

  void on_welcome(Welcome welcome) override;
  void on_going_away() override;
  void on_more_links(LinksWanted wanted) override;
  void on_silence() override;
  void on_voice() override;
  void on_failure(base::Error why) override { end(std::move(why)); }

  AgentContext& context_;
  const TlsSource& tls_;
  const Options& options_;
  ServerRoute route_;
  std::function<void(ServerLink&)> on_change_;
  State state_ = State::opening;
  Welcome welcome_;
  std::optional<base::Error> ended_;  // why we ended it
  base::Error error_;
  bool draining_ = false;
  bool announced_ = false;
  bool retired_ = false;
  LinksWanted links_wanted_;
  async::Event changed_;
  std::unique_ptr<LinkProtocol> protocol_;  // from the handshake on
};

}  // namespace tunnel
