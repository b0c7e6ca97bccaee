#include "app/agent_leases.h"

#include <utility>

namespace app {
namespace {

using base::Result;

double seconds(async::Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string status_of(const kube::Error* error) {
  return std::to_string(error == nullptr ? 200 : error->http_status);
}

std::string reason_of(const kube::Error* error) { return error == nullptr ? "" : error->reason; }

Result<kube::LabelSelector> parse_selector(const std::string& text) {
  auto selector = kube::LabelSelector::parse(text);
  if (selector) return selector;
  base::Error error = selector.error().within("--lease-label-selector");
  error.message +=
      "; want a comma-separated list of key=value, key!=value, key in (a,b), "
      "key notin (a,b), key, !key";
  return base::fail(std::move(error));
}

}  // namespace

Result<std::unique_ptr<AgentLeases>> AgentLeases::make(async::Loop& loop, async::Clock& clock,
                                                       const TunnelAgentConfig& config,
                                                       tunnel::AgentMetrics& metrics) {
  TRY(auto access, kube::load_config(config.kube.kubeconfig));
  TRY(auto selector, parse_selector(config.leases.label_selector));
  kube::Client::Options options;
  if (config.kube.qps > 0) options.qps = config.kube.qps;
  if (config.kube.burst > 0) options.burst = static_cast<unsigned>(config.kube.burst);
  TRY(auto client, kube::Client::make(loop, clock, std::move(access), options));
  std::unique_ptr<AgentLeases> made(new AgentLeases(metrics));
  made->client_ = std::move(client);
  kube::WatchObserver* observer = made.get();
  made->counter_.emplace(loop, *made->client_, config.leases.lease_namespace, std::move(selector),
                         observer);
  return made;
}

std::optional<int> AgentLeases::count() {
  if (!counter_->synced()) return std::nullopt;
  return static_cast<int>(counter_->count());
}

void AgentLeases::listed(const kube::Error* error, async::Duration took) {
  metrics_.lease_listed(status_of(error), reason_of(error), seconds(took));
}

void AgentLeases::watched(const kube::Error* error, async::Duration) {
  metrics_.lease_watched(status_of(error), reason_of(error));
}

}  // namespace app
