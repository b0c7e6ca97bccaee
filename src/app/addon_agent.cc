#include "app/addon_agent.h"

#include <cstdio>
#include <memory>
#include <optional>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "app/admin.h"
#include "app/health_checks.h"
#include "app/settle.h"
#include "async/signal_set.h"
#include "async/timeout.h"
#include "base/log.h"
#include "heartbeat/heartbeat.h"
#include "kube/account.h"
#include "net/listener.h"
#include "portforward/forwarder.h"

namespace app {
namespace {

using async::Task;
using base::Result;

constexpr const char* kCertificates = "certificates";
constexpr const char* kForwarding = "port forward proxy readiness";
// The pod gets 40 s to end (deploy/agent/deployment.yaml).
constexpr async::Duration kGrace = std::chrono::seconds(35);

Task<void> always_well() { co_return Result<void>{}; }

base::Error within_flag(base::Error error, std::string_view flag) {
  return std::move(error).within(flag);
}

/// One process of the add-on's agent: everything that a configuration asks for, and its order of
/// start and stop.
class AddonAgent {
 public:
  explicit AddonAgent(const AddonAgentConfig& config)
      : config_(config),
        files_({config.watched.certificate, config.watched.key}),
        signals_(loop_, SIGINT, SIGTERM),
        tasks_(loop_.get_executor()) {}

  Result<void> start();
  int run();

 private:
  Result<void> connect();
  Result<std::unique_ptr<kube::Client>> open_hub(bool http1_only);
  Result<void> start_heartbeat();
  Result<void> start_forwarding();
  Result<void> start_health();
  heartbeat::Probe probe();
  Task<void> watch_pods();
  Task<void> watch_signals();
  async::Awaitable<void> drain(int signal);
  async::Awaitable<void> stop();
  Result<void> forwarding_state() const;

  const AddonAgentConfig& config_;
  async::Loop loop_{1};
  async::SystemClock clock_;
  metrics::Registry registry_;
  std::unique_ptr<kube::Client> here_;
  std::unique_ptr<kube::Client> hub_;
  std::unique_ptr<kube::Client> hub_upgrades_;  // for connections that become SPDY
  ChangeCheck files_;
  HealthChecks checks_;
  std::unique_ptr<http::Server> health_;
  std::optional<heartbeat::Heartbeat> heartbeat_;
  portforward::Pods pods_;
  std::optional<portforward::ApiDialer> dialer_;
  std::optional<portforward::ForwarderMetrics> forwarder_metrics_;
  std::optional<portforward::Forwarder> forwarder_;
  async::SignalSet signals_;
  async::TaskGroup beating_{loop_.get_executor()};
  async::TaskGroup working_{loop_.get_executor()};
  async::TaskGroup tasks_;
};

Result<void> AddonAgent::start() {
  TRY_VOID(connect());
  TRY_VOID(start_heartbeat());
  TRY_VOID(start_forwarding());
  return start_health();
}

Result<void> AddonAgent::connect() {
  auto here = kube::load_config(config_.kubeconfig);
  if (!here) return base::fail(within_flag(std::move(here).error(), "--kubeconfig"));
  TRY(here_, kube::Client::make(loop_, clock_, std::move(*here), {}));
  TRY(hub_, open_hub(false));
  TRY(hub_upgrades_, open_hub(true));
  return {};
}

Result<std::unique_ptr<kube::Client>> AddonAgent::open_hub(bool http1_only) {
  auto hub = kube::load_config(config_.hub_kubeconfig);
  if (!hub) return base::fail(within_flag(std::move(hub).error(), "--hub-kubeconfig"));
  hub->http1_only = http1_only;
  return kube::Client::make(loop_, clock_, std::move(*hub),
                            {.user_agent = "proxy-agent-addon-agent"});
}

heartbeat::Probe AddonAgent::probe() {
  if (config_.check_proxy_agent) return heartbeat::http_probe(clock_, config_.ready_url);
  return always_well;
}

// The account is removed with the add-on, and takes the Lease along.
Result<void> AddonAgent::start_heartbeat() {
  const auto owner = [this] { return kube::account_owner(here_->config(), config_.pod_namespace); };
  heartbeat_.emplace(clock_, *here_, *hub_, probe(),
                     heartbeat::Heartbeat::Options{.in_namespace = config_.pod_namespace,
                                                   .hub_namespace = config_.cluster_name,
                                                   .owner = owner});
  beating_.spawn("heartbeat", heartbeat_->run());
  return {};
}

Result<void> AddonAgent::start_forwarding() {
  const auto& wanted = config_.forwarding;
  if (!wanted.enabled) return {};
  auto listener = net::listen_tcp(loop_, clock_, wanted.listen.host, wanted.listen.port);
  if (!listener) {
    return base::fail(within_flag(std::move(listener).error(), "--port-forward-bind-address"));
  }
  dialer_.emplace(*hub_upgrades_);
  forwarder_metrics_.emplace(registry_);
  const portforward::Forwarder::Surroundings surroundings{loop_, clock_, pods_, *dialer_,
                                                          *forwarder_metrics_};
  portforward::Forwarder::Options options{.port = wanted.target_port,
                                          .access_log = config_.log.access_log};
  options.whose =
      fmt::format("namespace {} with {}", wanted.server_namespace, wanted.label_selector);
  forwarder_.emplace(surroundings, std::move(*listener), std::move(options));
  forwarder_->start();
  working_.spawn("pods", watch_pods());
  LOG_INFO("forwarding ports", {"listen", wanted.listen.port},
           {"namespace", wanted.server_namespace}, {"port", wanted.target_port});
  return {};
}

Result<void> AddonAgent::forwarding_state() const {
  if (!forwarder_) return {};
  if (forwarder_->draining())
    return base::fail(base::Code::unavailable, "no new tunnels: stopping");
  if (forwarder_->ready()) return {};
  const auto& failure = forwarder_->last_failure();
  return base::fail(base::Code::unavailable,
                    failure.empty() ? "no tunnel has been opened yet" : failure);
}

// A hub that cannot be reached is no reason to restart the proxy-agent, whose liveness /healthz
// tells: the state of forwarding is left to /readyz and to the check's own path.
Result<void> AddonAgent::start_health() {
  if (config_.check_certificates) {
    TRY_VOID(files_.start());
    checks_.add(kCertificates, [this] { return files_.check(); });
  }
  checks_.add(kForwarding, [this] { return forwarding_state(); });
  http::Routes routes;
  checks_.serve(routes, "/healthz", {kForwarding});
  checks_.serve(routes, "/readyz", {kCertificates});
  routes.get("/metrics", [this](const http::ServerRequest&) {
    return http::ServerResponse{.body = registry_.expose(),
                                .content_type = std::string(metrics::Registry::kContentType)};
  });
  health_ = serve_http(loop_, clock_, config_.health, std::move(routes), "health");
  return {};
}

Task<void> AddonAgent::watch_pods() {
  kube::Reflector reflector(*hub_, portforward::pod_api(config_.forwarding.server_namespace), pods_,
                            nullptr, {.label_selector = config_.forwarding.label_selector});
  co_return co_await reflector.run();
}

Task<void> AddonAgent::watch_signals() {
  auto [error, signal] = co_await signals_.async_wait(async::kAsTuple);
  if (error) co_return Result<void>{};
  co_await drain(signal);
  co_await stop();
  loop_.stop();
  co_return Result<void>{};
}

// The proxy-agent beside this one serves on until it falls quiet, over connections that are led on
// here. It is not ready for new ones any more, so the lease is another replica's.
async::Awaitable<void> AddonAgent::drain(int signal) {
  using namespace async::asio::experimental::awaitable_operators;
  beating_.cancel();
  co_await beating_.join();
  if (!forwarder_ || forwarder_->serving() == 0) {
    LOG_INFO("stopping", {"signal", signal});
    co_return;
  }
  LOG_INFO("draining: forwarding on until nobody is connected, or the next signal",
           {"signal", signal}, {"connections", forwarder_->serving()});
  (void)co_await (signals_.async_wait(async::kAwaitable) ||
                  async::with_timeout(clock_, kGrace, "connections", forwarder_->drain()));
}

async::Awaitable<void> AddonAgent::stop() {
  working_.cancel();
  co_await working_.join();
  if (forwarder_) co_await forwarder_->stop();
  if (health_) (void)co_await health_->stop(async::Duration{0});
}

int AddonAgent::run() {
  tasks_.spawn("signals", watch_signals());
  tasks_.spawn("settle", settle(clock_));
  loop_.run();
  LOG_INFO("stopped");
  return 0;
}

}  // namespace

int run_addon_agent(const AddonAgentConfig& config) {
  AddonAgent agent(config);
  if (auto started = agent.start(); !started) {
    std::fprintf(stderr, "Error: %s\n", started.error().message.c_str());
    return 1;
  }
  return agent.run();
}

}  // namespace app
