#pragma once

#include <string>
#include <vector>

#include "addon/canonical_json.h"
#include "base/result.h"

/// The command line of the service proxy, from the values of the agent's chart.
namespace addon {

/// Fails when the OIDC values contradict each other or the additional arguments.
base::Result<std::vector<std::string>> service_proxy_args(const json::object& values);

/// Whether the agent must be allowed to act as other users and groups.
bool needs_impersonation(const json::object& values);

}  // namespace addon
