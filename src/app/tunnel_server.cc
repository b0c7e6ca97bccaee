#include "app/tunnel_server.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "app/admin.h"
#include "app/kube_services.h"
#include "app/settle.h"
#include "app/status_page.h"
#include "async/loop_pool.h"
#include "async/signal_set.h"
#include "base/log.h"
#include "http/server.h"
#include "net/listener.h"
#include "pki/reloading_tls.h"
#include "tunnel/native.h"
#include "tunnel/server/server.h"

namespace app {
namespace {

using async::Task;
using base::Result;

// After the agents are gone, clients get so long to take what is left for them.
constexpr async::Duration kLastBytes = std::chrono::seconds(3);
constexpr async::Duration kHttpGrace = std::chrono::seconds(1);

net::TlsOptions tls_options(const TunnelServerConfig& config, std::vector<std::string> alpn) {
  net::TlsOptions options;
  options.minimum = config.tls_minimum;
  options.cipher_suites = config.cipher_suites;
  options.alpn = std::move(alpn);
  return options;
}

std::vector<std::string> agent_protocols(const TunnelServerConfig& config) {
  if (!config.native_link) return {"h2"};
  return {std::string(tunnel::native::kAlpn), "h2"};
}

// Most clients of http-connect offer nothing and speak HTTP/1.1.
std::vector<std::string> client_protocols(tunnel::FrontendMode mode) {
  if (mode == tunnel::FrontendMode::grpc) return {"h2"};
  return {"h2", "http/1.1"};
}

std::string_view to_string(tunnel::FrontendMode mode) {
  return mode == tunnel::FrontendMode::grpc ? "grpc" : "http-connect";
}

tunnel::ServerOptions server_options(const TunnelServerConfig& config,
                                     tunnel::TokenAuthenticator* authenticator) {
  tunnel::ServerOptions options;
  options.admission = {config.server_id, config.server_count, authenticator};
  options.identity = config.identity;
  options.clients = config.clients;
  options.strategies = config.strategies;
  options.connection_limit = config.memory.connection;
  options.memory_limit = config.memory.process;
  options.window_limit = config.memory.window;
  options.access_log = config.log.access_log;
  options.dial_timeout = config.dial_timeout;
  options.handover = config.handover;
  options.agent_keepalive = config.keepalive;
  options.client_keepalive = config.frontend_keepalive;
  return options;
}

/// One tunnel server process: everything that a configuration asks for, and its order of start and
/// stop.
class TunnelServer {
 public:
  explicit TunnelServer(const TunnelServerConfig& config)
      : config_(config),
        loops_(config.threads, config.busy_poll),
        metrics_(registry_, config.strategies),
        budget_(config.memory.process),
        signals_(loop_, SIGINT, SIGTERM),
        tasks_(loop_.get_executor()) {}

  Result<void> start();
  int run();

 private:
  Result<void> start_kubernetes();
  Result<void> start_agents();
  Result<void> start_clients();
  Result<void> serve_unix(const std::string& path, tunnel::FrontendMode mode);
  Result<void> serve_tcp(std::uint16_t port, tunnel::FrontendMode mode,
                         std::unique_ptr<pki::ReloadingTls>& tls);
  Task<std::string> status(std::size_t connections);
  Task<void> watch_signals();
  Task<void> stop();

  const TunnelServerConfig& config_;
  async::LoopPool loops_;
  async::Loop& loop_ = loops_.first();
  async::SystemClock clock_;
  const async::TimePoint started_ = clock_.now();
  metrics::Registry registry_;
  tunnel::ServerMetrics metrics_;
  base::MemoryBudget budget_;
  std::unique_ptr<KubeServices> kubernetes_;
  std::unique_ptr<pki::ReloadingTls> agent_tls_;
  std::unique_ptr<pki::ReloadingTls> client_tls_;
  std::unique_ptr<pki::ReloadingTls> other_client_tls_;
  std::optional<tunnel::Server> server_;
  std::unique_ptr<http::Server> health_;
  std::unique_ptr<http::Server> admin_;
  async::SignalSet signals_;
  async::TaskGroup tasks_;
};

Result<void> TunnelServer::start() {
  TRY_VOID(start_kubernetes());
  server_.emplace(loops_.all(), clock_, registry_, budget_,
                  server_options(config_, config_.authentication ? kubernetes_.get() : nullptr));
  TRY_VOID(start_agents());
  TRY_VOID(start_clients());
  health_ =
      serve_http(loop_, clock_, config_.health,
                 server_health_routes(registry_, [this] { return server_->ready(); }), "health");
  admin_ = serve_http(loop_, clock_, config_.admin,
                      server_admin_routes(registry_, config_.profiling,
                                          [this](std::size_t count) { return status(count); }),
                      "admin");
  if (kubernetes_) kubernetes_->start();
  return {};
}

Result<void> TunnelServer::start_kubernetes() {
  if (!config_.authentication && !config_.leases.enabled) return {};
  TRY(kubernetes_, KubeServices::make(loop_, clock_, config_, metrics_));
  return {};
}

Result<void> TunnelServer::start_agents() {
  TRY(agent_tls_, pki::ReloadingTls::open(clock_, net::TlsContext::Role::server, config_.agent_tls,
                                          tls_options(config_, agent_protocols(config_))));
  TRY(auto listener, net::listen_tcp(loop_, clock_, config_.agents.host, config_.agents.port));
  LOG_INFO("waiting for agents", {"address", listener->address()});
  server_->serve_agents(std::move(listener), [this] { return agent_tls_->current(); });
  return {};
}

Result<void> TunnelServer::start_clients() {
  using tunnel::FrontendMode;
  const FrontendMode other =
      config_.mode == FrontendMode::grpc ? FrontendMode::http_connect : FrontendMode::grpc;
  if (!config_.unix_socket.empty()) {
    TRY_VOID(serve_unix(config_.unix_socket, config_.mode));
  } else {
    TRY_VOID(serve_tcp(config_.frontend.port, config_.mode, client_tls_));
  }
  if (!config_.other_unix_socket.empty()) TRY_VOID(serve_unix(config_.other_unix_socket, other));
  if (config_.other_frontend_port != 0)
    TRY_VOID(serve_tcp(config_.other_frontend_port, other, other_client_tls_));
  return {};
}

Result<void> TunnelServer::serve_unix(const std::string& path, tunnel::FrontendMode mode) {
  TRY(auto listener, net::listen_unix(loop_, clock_, path, config_.replace_unix_socket));
  LOG_INFO("waiting for clients", {"address", listener->address()}, {"mode", to_string(mode)});
  server_->serve_clients(std::move(listener), mode, nullptr);
  return {};
}

Result<void> TunnelServer::serve_tcp(std::uint16_t port, tunnel::FrontendMode mode,
                                     std::unique_ptr<pki::ReloadingTls>& tls) {
  TRY(tls, pki::ReloadingTls::open(clock_, net::TlsContext::Role::server, config_.frontend_tls,
                                   tls_options(config_, client_protocols(mode))));
  TRY(auto listener, net::listen_tcp(loop_, clock_, config_.frontend.host, port));
  LOG_INFO("waiting for clients", {"address", listener->address()}, {"mode", to_string(mode)});
  server_->serve_clients(std::move(listener), mode, [&tls] { return tls->current(); });
  return {};
}

Task<std::string> TunnelServer::status(std::size_t connections) {
  CO_TRY(const tunnel::ServerStatus status, co_await server_->status(connections));
  co_return status_page({config_, started_, server_->stopping()}, status, clock_);
}

Task<void> TunnelServer::watch_signals() {
  auto [error, signal] = co_await signals_.async_wait(async::kAsTuple);
  if (error) co_return Result<void>{};
  LOG_INFO("stopping; a second signal ends at once", {"signal", signal});
  tasks_.spawn("stop", stop());
  (void)co_await signals_.async_wait(async::kAsTuple);
  std::_Exit(1);
}

// Readiness and the lease say first that no new work is welcome; clients that have not heard of it
// yet are served for a while; agents go last, since every connection needs them.
Task<void> TunnelServer::stop() {
  const async::TimePoint deadline = clock_.now() + config_.handover + config_.graceful_shutdown;
  server_->announce_stop();
  if (kubernetes_) co_await kubernetes_->stop();
  CO_TRY_VOID(co_await clock_.sleep_for(config_.handover));
  server_->stop_accepting();
  (void)co_await server_->drained(deadline);
  if (health_) (void)co_await health_->stop(kHttpGrace);
  if (admin_) (void)co_await admin_->stop(kHttpGrace);
  co_await server_->stop(clock_.now() + kLastBytes);
  loops_.stop();
  co_return Result<void>{};
}

int TunnelServer::run() {
  tasks_.spawn("signals", watch_signals());
  tasks_.spawn("settle", settle(clock_));
  loops_.run();
  LOG_INFO("stopped");
  return 0;
}

}  // namespace

int run_tunnel_server(const TunnelServerConfig& config) {
  TunnelServer server(config);
  if (auto started = server.start(); !started) {
    std::fprintf(stderr, "Error: %s\n", started.error().message.c_str());
    return 1;
  }
  return server.run();
}

}  // namespace app
