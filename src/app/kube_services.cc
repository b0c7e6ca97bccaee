#include "app/kube_services.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/log.h"

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

/// Whether `id` can end the name of an object: a DNS subdomain (RFC 1123) of at most 253 bytes.
bool can_end_name(std::string_view id, std::size_t room) {
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  char before = '-';  // what the name goes on from
  for (const char c : id) {
    const bool fits = plain(c) || c == '-' || (c == '.' && plain(before));
    if (!fits || (before == '.' && !plain(c))) return false;
    before = c;
  }
  return id.size() <= room && plain(before);
}

// Not a reason to refuse to start: tunnels work without the lease.
void warn_of_useless_id(const TunnelServerConfig& config, std::string_view lease_name) {
  constexpr std::size_t kMaxName = 253;
  if (can_end_name(config.server_id, kMaxName - (lease_name.size() - config.server_id.size())))
    return;
  LOG_ERROR(
      "--server-id cannot name a lease, so agents that count leases will miss this server; "
      "give one of lower-case letters, digits, '-' and '.'",
      {"server_id", config.server_id}, {"lease", lease_name});
}

void warn_of_useless_labels(const kube::Labels& labels) {
  for (const auto& [key, value] : labels) {
    const bool key_is_bad = !kube::is_label_key(key);
    if (!key_is_bad && kube::is_label_value(value)) continue;
    LOG_ERROR(
        "--lease-label has what Kubernetes does not take for a label, so the lease cannot be made "
        "and agents that count leases will miss this server; want [domain/]name=value, each of at "
        "most 63 letters, digits, '-', '_' and '.'",
        {"label", fmt::format("{}={}", key, value)}, {"wrong", key_is_bad ? "key" : "value"});
  }
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
    auto lease = lease_options(config);
    warn_of_useless_id(config, lease.claim.name);
    warn_of_useless_labels(lease.claim.labels);
    made->leases_.emplace(loop, *made->client_, std::move(lease), observer);
  }
  return made;
}

void KubeServices::start() {
  if (leases_) leases_->start();
}

async::Awaitable<void> KubeServices::stop() {
  if (leases_) co_await leases_->stop();
}

async::Task<void> KubeServices::authenticate(std::string token) {
  const TokenAuthentication& wanted = *config_.authentication;
  std::vector<std::string> audiences{wanted.audience};
  const auto user = co_await reviewer_->authenticate(std::move(token), std::move(audiences));
  if (!user) {
    // A 401 or 403 answer is about this server's own credentials, not about the agent's token.
    const kube::Error& error = user.error();
    const bool token_is_bad = error.is(base::Code::unauthenticated) && !error.answered();
    if (token_is_bad) co_return base::fail(error);
    co_return base::fail(error.within("the API server could not review the token"));
  }
  co_return kube::check_service_account(user->username, wanted.agent_namespace,
                                        wanted.service_account);
}

void KubeServices::lease_listed(int http_status, std::string_view reason, async::Duration took) {
  metrics_.lease_listed(std::to_string(http_status), std::string(reason), seconds(took));
}

void KubeServices::lease_deleted(int http_status, std::string_view reason, async::Duration took) {
  metrics_.lease_deleted(std::to_string(http_status), std::string(reason), seconds(took));
}

}  // namespace app
