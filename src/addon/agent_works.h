#pragma once

#include <optional>
#include <string>
#include <vector>

#include "addon/agent_values.h"
#include "addon/signer.h"

namespace addon {

/// The AddOnDeploymentConfig that an addon names: nothing when it names none, an error when it is
/// missing or cannot be read.
using ConfigResult = base::Result<std::optional<DeploymentConfig>>;

/// Carries an agent's manifests to its cluster, as ManifestWorks.
///
/// Thread: that of the loop. `hub` and `signer` outlive it.
class AgentWorks {
 public:
  struct Options {
    AgentOptions agent;
    std::string service_proxy_namespace;  // of the Secret with the service proxies' certificate
  };
  AgentWorks(Hub& hub, const Signer& signer, Options options);

  /// Brings the works of the addon to what they should be, and the condition ManifestApplied in
  /// `status`, a copy of the addon's, to what became of them. Fails after the condition was set.
  kube::Task<void> apply(ObjectPtr addon, const ConfigResult& config, json::object& status);

 private:
  base::Result<std::vector<json::object>> render(const json::object& addon,
                                                 const ConfigResult& config);
  kube::Task<void> write(ObjectPtr addon, std::vector<json::object> manifests);
  std::vector<ExposedService> exposed_by(const json::object& managed_cluster) const;
  std::vector<ObjectPtr> works_of(const std::string& cluster) const;

  Hub& hub_;
  const Signer& signer_;
  Options options_;
};

/// Whether OCM has decided that this addon shall follow the configuration as it is now: until then
/// what is installed stays, so that a rollout strategy holds.
bool configuration_is_due(const json::object& addon, const json::object& configuration);

}  // namespace addon
