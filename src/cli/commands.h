#pragma once

#include <functional>

#include "app/addon_agent_config.h"
#include "app/addon_manager_config.h"
#include "app/tunnel_agent_config.h"
#include "app/tunnel_server_config.h"
#include "cli/command.h"

namespace cli {

/// What the long-running programs' command lines start once they are understood. Each returns the
/// exit code.
struct Programs {
  std::function<int(const app::TunnelServerConfig&)> server;
  std::function<int(const app::TunnelAgentConfig&)> agent;
  std::function<int(const app::AddonManagerConfig&)> manager;
  std::function<int(const app::AddonAgentConfig&)> addon_agent;
};

/// The table: `cluster-proxy` with every command there is.
Command all_commands(const Programs& programs);

}  // namespace cli
