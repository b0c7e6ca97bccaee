#pragma once

#include "cli/commands.h"

/// The commands that run a part of the add-on until they are stopped.
namespace cli {

Command server_command(std::function<int(const app::TunnelServerConfig&)> run);
Command agent_command(std::function<int(const app::TunnelAgentConfig&)> run);
Command manager_command(std::function<int(const app::AddonManagerConfig&)> run);
Command addon_agent_command(std::function<int(const app::AddonAgentConfig&)> run);

}  // namespace cli
