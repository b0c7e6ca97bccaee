#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "net/listener.h"
#include "net/tls.h"
#include "tunnel/server/agent_service.h"
#include "tunnel/server/context.h"
#include "tunnel/server/frontend_mode.h"
#include "tunnel/server/hang_ups.h"

namespace tunnel {

struct ServerOptions {
  AgentAdmission admission;
  std::vector<Strategy> strategies = {Strategy::any};
  std::size_t connection_limit = 4 << 20;  // bytes buffered for one connection
  bool access_log = true;
  std::size_t memory_limit = std::size_t{256} << 20;  // bytes of all buffers
  std::size_t window_limit = 16 << 20;                // bytes, one connection of a native link
  async::Duration dial_timeout{0};                    // 0 = none
  async::Duration agent_keepalive = std::chrono::hours(1);
  async::Duration client_keepalive = std::chrono::hours(1);
};

/// The tunnel server: accepts agents and clients and joins the two.
///
/// Flow: construct; serve_agents() and serve_clients() for each listener; stop_accepting(),
/// drained(), stop(); destroy. Assumptions: the references outlive it; stop() has returned before
/// it is destroyed. Thread: that of the loop.
class Server {
 public:
  /// The TLS configuration for the next connection: asked each time, so that changed files take
  /// effect.
  using TlsSource = std::function<std::shared_ptr<const net::TlsContext>()>;

  Server(async::Loop& loop, async::Clock& clock, ServerMetrics& metrics, base::MemoryBudget& budget,
         ServerOptions options);
  ~Server();

  void serve_agents(std::unique_ptr<net::Listener> listener, TlsSource tls);
  /// Without `tls` clients speak in the clear (Unix socket).
  void serve_clients(std::unique_ptr<net::Listener> listener, FrontendMode mode, TlsSource tls);

  /// An agent serves the first strategy, and the server is not about to stop.
  bool ready() const { return !stopping_ && router_.ready(); }

  void stop_accepting();
  /// Returns when no client is connected any more, or at `deadline`.
  async::Task<void> drained(async::TimePoint deadline);
  /// Ends all agents, then lets clients take their last bytes until `deadline`, then ends
  /// everything.
  async::asio::awaitable<void> stop(async::TimePoint deadline);

 private:
  struct Visitor {
    std::unique_ptr<net::Stream> stream;
    std::string name;
    std::string protocol;  // by ALPN
  };
  using Serve = async::Task<void> (Server::*)(Visitor);
  struct Door {
    std::unique_ptr<net::Listener> listener;
    TlsSource tls;
    Serve serve;
    async::TaskGroup* connections;
    std::string_view who;
  };

  void open(Door door);
  async::Task<void> accept_all(Door& door);
  async::Task<void> welcome(Door& door, net::Socket socket);
  void log_failed_handshake(const Door& door, const std::string& name, base::Error error);
  async::Task<void> serve_agent(Visitor visitor);
  async::Task<void> serve_grpc_client(Visitor visitor);
  async::Task<void> serve_connect_client(Visitor visitor);
  async::Task<void> run_h2(std::unique_ptr<net::Stream> stream,
                           http::H2Connection::Handler& handler,
                           const http::H2Session::Options& windows, async::Duration keepalive,
                           std::string first = {});

  async::Clock& clock_;
  ServerOptions options_;
  Router router_;
  StallWatch stall_watch_;
  std::optional<DelayLine> dial_deadlines_;
  DelayLine greeting_delay_;
  DelayLine half_close_linger_;
  DelayLine close_linger_;
  base::MemoryBudget grown_windows_;
  http::H2Session::WindowPolicy windows_;
  ServerContext context_;
  HangUps hang_ups_;
  std::vector<std::unique_ptr<Door>> doors_;
  bool stopping_ = false;
  async::TaskGroup upkeep_;
  async::TaskGroup accepting_;
  async::TaskGroup clients_;
  async::TaskGroup agents_;
};

}  // namespace tunnel
