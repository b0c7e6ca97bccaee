#include "app/tunnel_agent.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "app/admin.h"
#include "app/agent_leases.h"
#include "app/agent_loops.h"
#include "app/quiet.h"
#include "app/settle.h"
#include "async/signal_set.h"
#include "base/log.h"
#include "http/server.h"
#include "net/listener.h"
#include "pki/reloading_tls.h"
#include "tunnel/agent/connector.h"
#include "tunnel/native.h"

namespace app {
namespace {

using async::Task;
using base::Result;

// What the agent wishes to speak: the names given first, for balancers that route by them.
net::TlsOptions tls_options(const TunnelAgentConfig& config) {
  net::TlsOptions options;
  options.alpn = config.alpn;
  if (config.native_link) options.alpn.emplace_back(tunnel::native::kAlpn);
  if (std::ranges::find(options.alpn, "h2") == options.alpn.end()) options.alpn.push_back("h2");
  options.require_alpn = true;
  return options;
}

tunnel::Connector::Options connector_options(const TunnelAgentConfig& config) {
  tunnel::Connector::Options options;
  options.servers = {config.server};
  options.servers.insert(options.servers.end(), config.more_servers.begin(),
                         config.more_servers.end());
  options.link.identity = {config.agent_id, config.raw_identifiers, config.token_file};
  options.link.server_name = config.server.host;
  options.link.keepalive = config.keepalive;
  options.proxies = net::ProxyEnvironment::from_process();
  options.sync_interval = config.sync_interval;
  options.sync_interval_cap = config.sync_interval_cap;
  options.sync_forever = config.sync_forever;
  return options;
}

/// One tunnel agent process: everything that a configuration asks for, and its order of start and
/// stop.
class TunnelAgent {
 public:
  explicit TunnelAgent(const TunnelAgentConfig& config)
      : config_(config),
        loops_(config.threads, config.busy_poll),
        metrics_(registry_),
        budget_(config.memory.process),
        stall_watch_(clock_),
        grown_windows_(config.memory.process / 2),
        windows_{clock_, grown_windows_, static_cast<std::uint32_t>(config.memory.window)},
        context_{clock_,
                 loop_.get_executor(),
                 metrics_,
                 budget_,
                 stall_watch_,
                 windows_,
                 config.memory.connection,
                 config.log.access_log,
                 config.destinations.empty() ? nullptr : &config.destinations},
        more_loops_(loops_.all(), registry_, context_),
        signals_(loop_, SIGINT, SIGTERM),
        tasks_(loop_.get_executor()) {}

  Result<void> start();
  int run();

 private:
  Result<void> start_counting();
  Task<void> fallen_quiet();
  Task<void> watch_signals();
  async::Awaitable<void> stop();

  const TunnelAgentConfig& config_;
  async::LoopPool loops_;
  async::Loop& loop_ = loops_.first();
  async::SystemClock clock_;
  metrics::Registry registry_;
  tunnel::AgentMetrics metrics_;
  base::MemoryBudget budget_;
  tunnel::StallWatch stall_watch_;
  base::MemoryBudget grown_windows_;
  http::H2Session::WindowPolicy windows_;
  tunnel::AgentContext context_;
  AgentLoops more_loops_;
  std::unique_ptr<AgentLeases> leases_;
  std::unique_ptr<pki::ReloadingTls> tls_;
  tunnel::ServerCount count_;
  std::optional<tunnel::Connector> connector_;
  std::unique_ptr<http::Server> health_;
  std::unique_ptr<http::Server> admin_;
  async::SignalSet signals_;
  async::TaskGroup connecting_{loop_.get_executor()};
  async::TaskGroup tasks_;
};

// The health port is there before the first connection, so that a probe never finds it missing.
Result<void> TunnelAgent::start() {
  TRY_VOID(start_counting());
  TRY(tls_, pki::ReloadingTls::open(clock_, net::TlsContext::Role::client, config_.tls,
                                    tls_options(config_)));
  tunnel::Connector::Options options = connector_options(config_);
  options.more_loops = more_loops_.all();
  connector_.emplace(context_, [this] { return tls_->current(); }, count_, std::move(options));
  health_ = serve_http(
      loop_, clock_, config_.health,
      agent_health_routes(registry_, clock_, [this] { return connector_->connected(); }), "health");
  admin_ = serve_http(loop_, clock_, config_.admin,
                      agent_admin_routes(config_.health.port, config_.profiling), "admin");
  return {};
}

Result<void> TunnelAgent::start_counting() {
  if (!config_.leases.enabled) return {};
  TRY(leases_, AgentLeases::make(loop_, clock_, config_, metrics_));
  leases_->start();
  count_ = tunnel::ServerCount([this] { return leases_->count(); },
                               config_.count_source == ServerCountSource::maximum);
  return {};
}

// Servers that know no other agent yet send their dials here, so one quiet moment is not the end.
Task<void> TunnelAgent::fallen_quiet() {
  return until_quiet(clock_, [this] { return metrics_.open_endpoint_connections.value() > 0; });
}

Task<void> TunnelAgent::watch_signals() {
  using namespace async::asio::experimental::awaitable_operators;
  auto [error, signal] = co_await signals_.async_wait(async::kAsTuple);
  if (error) co_return Result<void>{};
  LOG_INFO("draining: serving on until all is quiet, or the next signal", {"signal", signal});
  connector_->drain();
  (void)co_await (signals_.async_wait(async::kAwaitable) || fallen_quiet());
  co_await stop();
  loops_.stop();
  co_return Result<void>{};
}

async::Awaitable<void> TunnelAgent::stop() {
  connecting_.cancel();
  co_await connecting_.join();
  (void)co_await connector_->stop();
  (void)co_await more_loops_.stop();
  constexpr async::Duration kAtOnce{0};
  if (health_) (void)co_await health_->stop(kAtOnce);
  if (admin_) (void)co_await admin_->stop(kAtOnce);
  if (leases_) co_await leases_->stop();
}

int TunnelAgent::run() {
  tasks_.spawn("signals", watch_signals());
  tasks_.spawn("settle", settle(clock_));
  connecting_.spawn("connector", connector_->run());
  connecting_.spawn("stall watch", stall_watch_.run());
  loops_.run();
  LOG_INFO("stopped");
  return 0;
}

}  // namespace

int run_tunnel_agent(const TunnelAgentConfig& config) {
  TunnelAgent agent(config);
  if (auto started = agent.start(); !started) {
    std::fprintf(stderr, "Error: %s\n", started.error().message.c_str());
    return 1;
  }
  return agent.run();
}

}  // namespace app
