#pragma once

#include <span>
#include <string>

#include "addon/deployment_config.h"
#include "addon/signer.h"

namespace addon {

/// What an agent needs of the hub before it can run: an identity to ask certificates for, the
/// rights of that identity, and a namespace.
///
/// Thread: that of the loop. `hub` and `signer` outlive it.
class AgentRegistration {
 public:
  AgentRegistration(Hub& hub, const Signer& signer, std::string install_namespace);

  /// Grants the rights, and brings `status`, a copy of the addon's, to what it should be, the
  /// condition RegistrationApplied included. `config` is the AddOnDeploymentConfig that the addon
  /// names, or null. Fails after the condition was set when rights could not be granted.
  kube::Task<void> apply(ObjectPtr addon, const DeploymentConfig* config, json::object& status);

 private:
  kube::Task<void> grant(const json::object& addon, const json::array& subjects);
  kube::Task<void> ensure_in_order(std::span<json::object> wanted);
  kube::Task<void> ensure(json::object wanted);
  CachedKind& kind_of(const json::object& object);

  Hub& hub_;
  const Signer& signer_;
  std::string install_namespace_;
};

}  // namespace addon
