#include "app/addon_manager.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "addon/abilities.h"
#include "addon/control_plane.h"
#include "app/admin.h"
#include "app/settle.h"
#include "async/backoff.h"
#include "async/signal_set.h"
#include "base/id.h"
#include "base/log.h"
#include "controller/leader_election.h"
#include "http/server.h"
#include "kube/account.h"
#include "metrics/registry.h"

namespace app {
namespace {

using async::Task;
using base::Result;

// Names the Lease, the source of events and the user agent, as the reference does.
constexpr const char* kProgram = "cluster-proxy-addon-manager";

kube::Client::Options client_options(const AddonManagerConfig& config) {
  kube::Client::Options options;
  // API priority and fairness guards the server; our own limit is there against our own mistakes.
  options.qps = config.kube.qps > 0 ? config.kube.qps : 50;
  options.burst = config.kube.burst > 0 ? static_cast<unsigned>(config.kube.burst) : 100;
  options.user_agent = kProgram;
  return options;
}

addon::ControlPlane::Options plane_options(const AddonManagerConfig& config,
                                           const addon::HubAbilities& abilities) {
  return {.abilities = abilities,
          .signer = {config.signer_namespace, config.signer_secret},
          .agent = config.agent,
          .image_pull_policy = config.image_pull_policy,
          .pod_namespace = config.pod_namespace};
}

/// One manager process: what it is made of, and its order of start and stop.
class AddonManager {
 public:
  explicit AddonManager(const AddonManagerConfig& config)
      : config_(config), signals_(loop_, SIGINT, SIGTERM), tasks_(loop_.get_executor()) {}

  Result<void> start();
  int run();

 private:
  http::Routes health_routes();
  Task<void> manage();
  Task<void> connect();
  Task<void> watch_signals();
  async::Awaitable<void> stop(int exit_code);

  const AddonManagerConfig& config_;
  async::Loop loop_{1};
  async::SystemClock clock_;
  metrics::Registry registry_;
  controller::ControllerMetrics controller_metrics_{registry_};
  std::unique_ptr<kube::Client> client_;
  std::unique_ptr<kube::EventRecorder> events_;
  std::optional<addon::ControlPlane> plane_;
  std::optional<controller::LeaderElection> election_;
  std::unique_ptr<http::Server> health_;
  std::unique_ptr<http::Server> metrics_;
  int exit_code_ = 0;
  async::SignalSet signals_;
  async::TaskGroup managing_{loop_.get_executor()};
  async::TaskGroup tasks_;
};

Result<void> AddonManager::start() {
  TRY(auto access, kube::find_config({.file = config_.kube.kubeconfig}));
  TRY(client_, kube::Client::make(loop_, clock_, std::move(access), client_options(config_)));
  events_ = std::make_unique<kube::EventRecorder>(
      loop_, *client_,
      kube::EventRecorder::Options{.component = std::string(kProgram), .host = base::host_name()});
  if (config_.leader_elect) {
    controller::LeaderElection::Options options;
    options.in_namespace = config_.pod_namespace;
    options.name = kProgram;
    options.owner = [this] {
      return kube::account_owner(client_->config(), config_.pod_namespace);
    };
    election_.emplace(*client_, std::move(options), events_.get());
    controller_metrics_.leading(kProgram, false);
  }
  health_ = serve_http(loop_, clock_, config_.health, health_routes(), "health");
  metrics_ = serve_http(loop_, clock_, config_.metrics, metrics_routes(registry_), "metrics");
  return {};
}

// Alive as soon as it answers; ready once it knows the world, so that a rollout waits for that.
http::Routes AddonManager::health_routes() {
  http::Routes routes;
  routes.get("/healthz",
             [](const http::ServerRequest&) { return http::ServerResponse{.body = "ok"}; });
  routes.get("/readyz", [this](const http::ServerRequest&) {
    if (plane_ && plane_->synced()) return http::ServerResponse{.body = "ok"};
    return http::ServerResponse{.status = 500, .body = "[-]caches failed: not synced yet\n"};
  });
  return routes;
}

Task<void> AddonManager::manage() {
  CO_TRY_VOID(co_await connect());
  CO_TRY_VOID(co_await plane_->watch());
  LOG_INFO("caches are filled");
  if (election_) {
    CO_TRY_VOID(co_await election_->acquire());
    controller_metrics_.leading(kProgram, true);
  }
  plane_->lead();
  if (!election_) co_return Result<void>{};
  const auto lost = co_await election_->hold();
  if (lost.error().is(base::Code::cancelled)) co_return base::fail(lost.error());
  controller_metrics_.leading(kProgram, false);
  LOG_ERROR("stopping, so that another replica goes on", {"error", lost.error().message});
  tasks_.spawn("stop", [](AddonManager& self) -> Task<void> {
    co_await self.stop(1);
    co_return Result<void>{};
  }(*this));
  co_return Result<void>{};
}

// The hub may be on its way up; OCM may be installed after us.
Task<void> AddonManager::connect() {
  async::Backoff pause({.initial = std::chrono::seconds(1), .cap = std::chrono::seconds(30)});
  for (;;) {
    const auto abilities = co_await addon::find_abilities(*client_, config_.cluster_profiles);
    if (abilities) {
      plane_.emplace(loop_, *client_, *events_, controller_metrics_,
                     plane_options(config_, *abilities));
      co_return Result<void>{};
    }
    if (abilities.error().is(base::Code::cancelled)) co_return base::fail(abilities.error());
    LOG_WARN("cannot begin yet", {"error", abilities.error().message});
    CO_TRY_VOID(co_await clock_.sleep_for(pause.next()));
  }
}

Task<void> AddonManager::watch_signals() {
  auto [error, signal] = co_await signals_.async_wait(async::kAsTuple);
  if (error) co_return Result<void>{};
  LOG_INFO("stopping", {"signal", signal});
  co_await stop(0);
  co_return Result<void>{};
}

// The lease is given up last, when nothing writes any more: the next leader need not wait it out.
async::Awaitable<void> AddonManager::stop(int exit_code) {
  exit_code_ = exit_code;
  managing_.cancel();
  co_await managing_.join();
  if (plane_) co_await plane_->stop();
  if (election_ && exit_code == 0) (void)co_await election_->release();
  constexpr async::Duration kAtOnce{0};
  if (health_) (void)co_await health_->stop(kAtOnce);
  if (metrics_) (void)co_await metrics_->stop(kAtOnce);
  loop_.stop();
}

int AddonManager::run() {
  tasks_.spawn("signals", watch_signals());
  tasks_.spawn("settle", settle(clock_));
  managing_.spawn("manage", manage());
  managing_.spawn("events", events_->run());
  loop_.run();
  LOG_INFO("stopped");
  return exit_code_;
}

}  // namespace

int run_addon_manager(const AddonManagerConfig& config) {
  AddonManager manager(config);
  if (auto started = manager.start(); !started) {
    std::fprintf(stderr, "Error: %s\n", started.error().message.c_str());
    return 1;
  }
  return manager.run();
}

}  // namespace app
