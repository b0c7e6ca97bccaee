#include "app/kube_services.h"

#include <utility>

namespace app {
namespace {

using base::Result;

double seconds(async::Duration duration) { return std::chrono::duration<double>(duration).count(); }

kube::LeaseController::Options lease_options(const TunnelServerConfig& config) {
  kube::LeaseController::Options options;
  options.claim.name = "konnectivity-proxy-server-" + config.server_id;
  options.claim.in_namespace = config.leases.lease_namespace;
  options.claim.holder = config.server_id;
  options.claim.labels.insert(config.leases.labels.begin(), config.leases.labels.end());
  return options;
}

}  // namespace

base::Result<std::unique_ptr<KubeServices>> KubeServices::make(async::Loop& loop,
                                                               async::Clock& clock,
                                                               const TunnelServerConfig& config,
                                                               tunnel::ServerMetrics& metrics) {
  TRY(auto access, kube::load_config(config.kube.kubeconfig));
  kube::Client::Options options;
  if (config.kube.qps > 0) options.qps = config.kube.qps;
  if (config.kube.burst > 0) options.burst = static_cast<unsigned>(config.kube.burst);
  TRY(auto client, kube::Client::make(loop, clock, std::move(access), options));
  std::unique_ptr<KubeServices> made(new KubeServices(config, metrics));
  made->client_ = std::move(client);
  if (config.authentication) made->reviewer_.emplace(loop, *made->client_);
  if (config.leases.enabled) {
    kube::LeaseObserver* observer = made.get();
    made->leases_.emplace(loop, *made->client_, lease_options(config), observer);
  }
  return made;
}

void KubeServices::start() {
  if (leases_) leases_->start();
}

async::asio::awaitable<void> KubeServices::stop() {
  if (leases_) co_await leases_->stop();
}

async::Task<void> KubeServices::authenticate(std::string token) {
  const TokenAuthentication& wanted = *config_.authentication;
  std::vector<std::string> audiences{wanted.audience};
  CO_TRY(const auto user, co_await reviewer_->authenticate(std::move(token), std::move(audiences)));
  co_return kube::check_service_account(user.username, wanted.agent_namespace,
                                        wanted.service_account);
}

void KubeServices::lease_listed(int http_status, std::string_view reason, async::Duration took) {
  metrics_.lease_listed(std::to_string(http_status), std::string(reason), seconds(took));
}

void KubeServices::lease_deleted(int http_status, std::string_view reason, async::Duration took) {
  metrics_.lease_deleted(std::to_string(http_status), std::string(reason), seconds(took));
}

}  // namespace app
