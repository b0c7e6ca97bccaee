#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "addon/deployment_config.h"
#include "base/result.h"

/// Which configurations an addon follows, and in which version.
namespace addon {

/// Names a configuration object; what is cluster-scoped has no namespace.
struct ConfigName {
  std::string group;
  std::string resource;
  std::string in_namespace;
  std::string name;

  bool operator==(const ConfigName&) const = default;
};
/// Finds a configuration object; nullptr = there is none.
using ConfigLookup = std::function<const json::object*(const ConfigName&)>;

/// Whether it is one of the two kinds that we read.
bool is_supported(const ConfigName& config);

/// The AddOnDeploymentConfig that counts: the first that status.configReferences names.
struct ConfigReference {
  std::string in_namespace;
  std::string name;
  std::string spec_hash;  // "" = OCM has not decided yet
};
std::optional<ConfigReference> deployment_config_reference(const json::object& addon);

/// The namespace agents are installed in: that of the referenced AddOnDeploymentConfig, else
/// `fallback`. Fails while that reference has no spec hash, and when its object (`config`) is
/// missing.
base::Result<std::string> agent_namespace(const json::object& addon, const DeploymentConfig* config,
                                          std::string_view fallback);

/// lastObservedGeneration of every reference; desiredConfig.specHash of those in the addon's own
/// spec.configs. `status` is a copy of addon.status.
void observe_configs(const json::object& addon, json::object& status, const ConfigLookup& lookup);

/// Spec hashes of defaultConfigReferences and installProgressions of a ClusterManagementAddOn; ""
/// for a configuration that is missing.
void hash_default_configs(json::object& status, const ConfigLookup& lookup);

/// The configurations of our kinds that the status of either object names, for knowing which
/// changes matter.
std::vector<ConfigName> referenced_configs(const json::object& object);

}  // namespace addon
