#pragma once

#include <memory>
#include <optional>

#include "app/tunnel_server_config.h"
#include "kube/client.h"
#include "kube/lease_controller.h"
#include "kube/token_review.h"
#include "tunnel/server/agent_service.h"
#include "tunnel/server_metrics.h"

namespace app {

/// What the tunnel server needs of a Kubernetes API server, as far as it is configured: review of
/// agents' tokens, and a lease of its own. Without either it never reads a kubeconfig. Thread: that
/// of the loop.
class KubeServices : public tunnel::TokenAuthenticator, private kube::LeaseObserver {
 public:
  /// Code::invalid when the credentials cannot be used. The references outlive the object.
  static base::Result<std::unique_ptr<KubeServices>> make(async::Loop& loop, async::Clock& clock,
                                                          const TunnelServerConfig& config,
                                                          tunnel::ServerMetrics& metrics);

  void start();
  async::Awaitable<void> stop();

  async::Task<void> authenticate(std::string token) override;

 private:
  KubeServices(const TunnelServerConfig& config, tunnel::ServerMetrics& metrics)
      : config_(config), metrics_(metrics) {}

  void lease_listed(int http_status, std::string_view reason, async::Duration took) override;
  void lease_deleted(int http_status, std::string_view reason, async::Duration took) override;
  void lease_culled() override { metrics_.culled_leases.add(); }

  const TunnelServerConfig& config_;
  tunnel::ServerMetrics& metrics_;
  std::unique_ptr<kube::Client> client_;
  std::optional<kube::TokenReviewer> reviewer_;
  std::optional<kube::LeaseController> leases_;
};

}  // namespace app
