#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "addon/deployment_config.h"
#include "base/result.h"
#include "kube/time.h"

/// The status of ManagedClusterAddOns and ClusterManagementAddOns, as changes to a copy of it. A
/// controller copies status, calls these, and sends merge_patch(old, new).
namespace addon {

struct Condition {
  std::string type;
  bool status = true;
  std::string reason;
  std::string message;
};
/// Sets a condition by type. lastTransitionTime moves only when `status` changes. `holder` is a
/// status, or whatever has the array `conditions`.
void set_condition(json::object& holder, const Condition& condition, kube::WallTime now);
void remove_condition(json::object& holder, std::string_view type);
/// The condition of an object's status; nullptr when there is none.
const json::object* find_condition(const json::object& object, std::string_view type);
bool condition_is_true(const json::object& object, std::string_view type);

/// Whether the addon is owned by the ClusterManagementAddOn of its name, whatever the API version.
bool is_owned_by_management_addon(const json::object& addon);

/// Both kinds of configuration we read. True = changed.
bool set_supported_configs(json::object& status);

/// Brings status.registrations to ours, keeping drivers and, with the token driver, the subject
/// that the agent wrote. `organizational_unit` is signer_organizational_unit().
void set_registrations(json::object& status, std::string_view organizational_unit);

/// The namespace agents are installed in: the first referenced AddOnDeploymentConfig's, else
/// `fallback`. Fails while that reference has no spec hash. `config` is the object of that
/// reference when there is one.
base::Result<std::string> agent_namespace(const json::object& addon, const DeploymentConfig* config,
                                          std::string_view fallback);

/// The configuration that status.configReferences names, first of its kind.
struct ConfigReference {
  std::string in_namespace;
  std::string name;
  std::string spec_hash;  // "" = OCM has not decided yet
};
std::optional<ConfigReference> deployment_config_reference(const json::object& addon);

/// Finds a configuration object; nullptr = there is none.
struct ConfigName {
  std::string group;
  std::string resource;
  std::string in_namespace;
  std::string name;
};
using ConfigLookup = std::function<const json::object*(const ConfigName&)>;

/// lastObservedGeneration of every reference; desiredConfig.specHash of those in the addon's own
/// spec.configs. `status` is a copy of addon.status.
void observe_configs(const json::object& addon, json::object& status, const ConfigLookup& lookup);
/// Spec hashes of defaultConfigReferences and installProgressions of a ClusterManagementAddOn; ""
/// for a configuration that is missing.
void hash_default_configs(json::object& status, const ConfigLookup& lookup);
/// The configurations of our kinds that an object's status names, for knowing which changes matter.
std::vector<ConfigName> referenced_configs(const json::object& object);

/// Sets ManifestApplied from the Applied conditions of all works together. Without any Applied
/// condition a condition False of an earlier failure goes, everything else stays.
void set_manifest_applied(json::object& status, const std::vector<json::object>& works,
                          kube::WallTime now);

/// RFC 7386: what turns `before` into `after`; nothing when they are the same (absent = null =
/// empty).
std::optional<json::object> merge_patch(const json::object& before, const json::object& after);
/// The body of a PATCH of .../status, guarded by uid and resourceVersion; nothing when nothing
/// changes.
std::optional<json::object> status_patch(const json::object& object, const json::object& status);

}  // namespace addon
