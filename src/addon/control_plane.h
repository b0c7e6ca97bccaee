#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "addon/addon_controller.h"
#include "addon/cluster_profile_controller.h"
#include "addon/configuration_controller.h"
#include "addon/csr_controller.h"
#include "addon/management_addon_controller.h"
#include "addon/service_resolver_controller.h"

namespace addon {

/// All caches and controllers of the add-on's hub side.
///
/// Flow: construct; watch() to fill the caches, which every replica may do; lead() to let the
/// controllers write, which only one replica may; co_await stop(); destroy. Thread: that of the
/// loop. `client` outlives it.
class ControlPlane {
 public:
  struct Options {
    HubAbilities abilities;
    Signer::Options signer;
    AgentOptions agent;
    std::string image_pull_policy = "IfNotPresent";
    std::string pod_namespace;
  };
  ControlPlane(async::Loop& loop, kube::Client& client, kube::EventRecorder& events,
               controller::ControllerMetrics& metrics, Options options);

  /// Returns when the caches hold what there is.
  async::Task<void> watch();
  void lead();
  async::Awaitable<void> stop();

  bool synced() const { return synced_; }
  Hub& hub() { return hub_; }

 private:
  template <typename Reconciler>
  void add(std::string_view name, Reconciler& reconciler);

  async::Loop& loop_;
  controller::ControllerMetrics& metrics_;
  Options options_;
  Hub hub_;
  Signer signer_;
  CsrController requests_;
  AgentRegistration registration_;
  AgentWorks works_;
  AddonController addons_;
  ConfigurationController configurations_;
  ManagementAddonController management_addons_;
  std::optional<ClusterProfileController> cluster_profiles_;
  std::optional<ServiceResolverController> service_resolvers_;
  std::vector<std::unique_ptr<controller::Controller>> controllers_;
  bool synced_ = false;
  async::TaskGroup tasks_;
};

}  // namespace addon
