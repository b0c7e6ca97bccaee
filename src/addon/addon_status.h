#pragma once

#include <string_view>
#include <vector>

#include "addon/addon_configs.h"
#include "addon/conditions.h"
#include "addon/merge_patch.h"

/// The status of a ManagedClusterAddOn, as changes to a copy of it. A controller copies status,
/// calls these, and sends status_patch().
namespace addon {

/// Whether the addon is owned by the ClusterManagementAddOn of its name, whatever the API version.
bool is_owned_by_management_addon(const json::object& addon);

/// Both kinds of configuration we read. True = changed.
bool set_supported_configs(json::object& status);

/// Brings status.registrations to ours, keeping the driver and, with the token driver, the subject
/// that the agent wrote. `organizational_unit` is signer_organizational_unit().
void set_registrations(json::object& status, std::string_view organizational_unit);

/// Sets ManifestApplied from the Applied conditions of all works together. While a work has none, a
/// condition False of an earlier failure goes and everything else stays.
void set_manifest_applied(json::object& status, const std::vector<json::object>& works,
                          kube::WallTime now);

}  // namespace addon
