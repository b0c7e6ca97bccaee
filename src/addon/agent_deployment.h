#pragma once

#include "addon/canonical_json.h"
#include "base/result.h"

namespace addon {

/// The Deployment of the agents: proxy-agent, addon-agent and, when wanted, service-proxy in one
/// pod.
base::Result<json::object> agent_deployment(const json::object& values, std::int64_t replicas);

}  // namespace addon
