#pragma once

#include <vector>

#include "addon/canonical_json.h"

/// What an addon agent may do on the hub.
namespace addon {

/// The subjects of the kubeClient registration in the addon's status; `system:authenticated` is
/// never one of them. Empty = the agent has not registered yet: pending, no failure.
json::array agent_subjects(const json::object& addon);

struct HubRbacOptions {
  bool token_review =
      true;  // the two cluster-scoped objects; off where the chart grants no right to
};

/// Role, RoleBinding (owned by the addon), ClusterRole, ClusterRoleBinding (owned by the
/// ClusterManagementAddOn that owns the addon), in the order to apply them. `live_binding` is the
/// ClusterRoleBinding that is there, nullptr = none: subjects of other clusters in it stay, for it
/// is shared.
std::vector<json::object> hub_rbac(const json::object& addon, const json::array& subjects,
                                   const HubRbacOptions& options, const json::object* live_binding);

/// Whether `live` has all owners that are wanted; others in it do not matter.
bool has_owners(const json::object& live, const json::object& wanted);
/// Whether rules (of roles) or subjects and roleRef (of bindings) differ.
bool rbac_differs(const json::object& live, const json::object& wanted);
/// roleRef is immutable: a binding with another one has to be deleted and made again.
bool needs_recreation(const json::object& live, const json::object& wanted);

}  // namespace addon
