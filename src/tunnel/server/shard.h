#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "http/h2_connection.h"
#include "metrics/registry.h"
#include "net/socket_stream.h"
#include "net/tls.h"
#include "tunnel/server/agent_service.h"
#include "tunnel/server/connect_request.h"
#include "tunnel/server/context.h"
#include "tunnel/server/directory.h"
#include "tunnel/server/frontend_mode.h"
#include "tunnel/server/hang_ups.h"
#include "tunnel/server/occupancy.h"
#include "tunnel/server/remote_backend.h"
#include "tunnel/server/server_options.h"

namespace tunnel {

/// The part of a tunnel server that lives on one loop: its links, its clients, and what they share.
///
/// Flow: construct; admit() for each connection; stop_agents(), drained(), stop(); destroy.
/// Thread: that of its loop, but for the construction, admit() and what is said to be for any.
class Shard {
 public:
  /// The TLS configuration for the next connection: asked each time, so that changed files take
  /// effect; from any thread.
  using TlsSource = std::function<std::shared_ptr<const net::TlsContext>()>;

  /// What all shards of a server share; it outlives them.
  struct Shared {
    async::Clock& clock;
    metrics::Registry& registry;
    base::MemoryBudget& budget;
    const http::H2Session::WindowPolicy& windows;
    const ServerOptions& options;
    Directory& directory;
    HangUps& hang_ups;
    std::size_t loops;
    std::vector<std::unique_ptr<Shard>>& shards;
  };

  /// Who comes in by a listener, and how.
  struct Door {
    TlsSource tls;                     // null: in the clear
    std::optional<FrontendMode> mode;  // none: agents
    std::string_view who;
  };

  Shard(async::Loop& loop, std::size_t index, const Shared& shared);
  ~Shard();

  /// Serves a connection that was accepted on this loop. `door` outlives it. Any thread.
  void admit(const Door& door, net::Socket socket);

  async::Executor executor() const { return context_.executor; }
  const Router& router() const { return router_; }
  /// Connections of agents. Any thread.
  std::size_t agents() const { return agent_count_; }
  /// Its clients, but those over TLS and gRPC.
  const Occupancy& occupancy() const { return occupancy_; }

  async::Task<ServerStatus> status(std::size_t connections) const;
  /// Tells agents that know the word that the server is about to go. Any thread.
  void tell_draining();
  async::Task<void> stop_agents();
  /// Returns when no client is connected any more, or at `deadline`.
  async::Task<void> drained(async::TimePoint deadline);
  async::Task<void> stop();

 private:
  struct Visitor {
    std::unique_ptr<net::Stream> stream;
    std::string name;
    std::string protocol;                             // by ALPN
    std::vector<std::string> clusters = {};           // an agent's, by its certificate
    std::shared_ptr<const ClientAccess> access = {};  // a client's
  };

  async::Task<void> welcome(const Door& door, net::Socket socket);
  async::Task<void> serve(const Door& door, Visitor visitor);
  void log_failed_handshake(const Door& door, const std::string& name, base::Error error);
  async::Task<void> serve_agent(Visitor visitor);
  async::Task<void> serve_grpc_client(Visitor visitor);
  async::Task<void> serve_connect_client(Visitor visitor);
  async::Task<std::optional<ConnectRequest>> read_request(Visitor& visitor, std::string& first);
  void carry(Visitor visitor, ConnectRequest request);
  async::Task<void> serve_connect(Visitor visitor, ConnectRequest request);
  Shard* home_of(const std::string& target);
  async::Task<void> run_h2(std::unique_ptr<net::Stream> stream,
                           http::H2Connection::Handler& handler, http::H2Session::Options options,
                           async::Duration keepalive, std::string first = {});

  const Shared shared_;
  async::Clock& clock_;
  const ServerOptions& options_;
  AgentAdmission admission_;
  std::unique_ptr<TokenAuthenticator> authenticator_;  // where tokens are checked on another loop
  ServerMetrics metrics_;
  Router router_;
  StallWatch stall_watch_;
  std::optional<DelayLine> dial_deadlines_;
  DelayLine greeting_delay_;
  DelayLine half_close_linger_;
  DelayLine departures_;
  DelayLine close_linger_;
  DelayLine late_answers_;
  DelayLine first_words_;
  DelayLine moments_;
  Occupancy occupancy_;
  RemoteBackends remotes_;
  ServerContext context_;
  std::atomic<std::size_t> agent_count_{0};
  async::TaskGroup upkeep_;
  async::TaskGroup clients_;
  async::TaskGroup agents_;
};

}  // namespace tunnel
