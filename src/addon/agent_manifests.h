#pragma once

#include <string>
#include <vector>

#include "addon/canonical_json.h"
#include "base/result.h"

namespace addon {

/// The objects that a managed cluster runs, from the values of agent_values(), in the order to
/// install them. Fails with the chart's own texts when the values break its schema or contradict
/// each other.
base::Result<std::vector<json::object>> agent_manifests(const json::object& values);

/// Every rule of the values' schema that `values` break, in helm's words:
/// "at '/includeNamespaceCreation': got string, want boolean".
std::vector<std::string> schema_problems(const json::object& values);

}  // namespace addon
