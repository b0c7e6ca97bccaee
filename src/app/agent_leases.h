#pragma once

#include <memory>
#include <optional>

#include "app/tunnel_agent_config.h"
#include "kube/client.h"
#include "kube/lease_counter.h"
#include "tunnel/agent_metrics.h"

namespace app {

/// Counts the servers' leases in the agent's own cluster, with the series that tell how that goes.
/// Thread: that of the loop.
class AgentLeases : private kube::WatchObserver {
 public:
  /// Code::invalid when the credentials or the selector cannot be used. The references outlive the
  /// object.
  static base::Result<std::unique_ptr<AgentLeases>> make(async::Loop& loop, async::Clock& clock,
                                                         const TunnelAgentConfig& config,
                                                         tunnel::AgentMetrics& metrics);

  void start() { counter_->start(); }
  async::Awaitable<void> stop() { return counter_->stop(); }
  /// Nothing until the leases have been read once: an API server that does not answer must not keep
  /// the agent from its servers.
  std::optional<int> count();

 private:
  explicit AgentLeases(tunnel::AgentMetrics& metrics) : metrics_(metrics) {}
  void listed(const kube::Error* error, async::Duration took) override;
  void watched(const kube::Error* error, async::Duration took) override;

  tunnel::AgentMetrics& metrics_;
  std::unique_ptr<kube::Client> client_;
  std::optional<kube::LeaseCounter> counter_;
};

}  // namespace app
