#pragma once

#include "app/addon_agent_config.h"

namespace app {

/// Runs the add-on's agent until SIGINT or SIGTERM and returns the exit code of the process. Why it
/// could not start is written to standard error.
int run_addon_agent(const AddonAgentConfig& config);

}  // namespace app
