#pragma once

#include "app/tunnel_agent_config.h"

namespace app {

/// Runs the tunnel agent until it is told to stop and returns the exit code of the process. The
/// first SIGINT or SIGTERM drains, the second ends. Why it could not start is written to standard
/// error.
int run_tunnel_agent(const TunnelAgentConfig& config);

}  // namespace app
