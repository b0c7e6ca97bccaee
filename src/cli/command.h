#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "app/addon_agent_config.h"
#include "app/addon_manager_config.h"
#include "app/tunnel_agent_config.h"
#include "app/tunnel_server_config.h"

namespace cli {

/// What a command line runs once it is understood. Each returns the exit code.
struct Programs {
  std::function<int(const app::TunnelServerConfig&)> server;
  std::function<int(const app::TunnelAgentConfig&)> agent;
  std::function<int(const app::AddonManagerConfig&)> manager;
  std::function<int(const app::AddonAgentConfig&)> addon_agent;
};

/// Where a command's text goes, and its surroundings.
struct Console {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> error;
  std::function<std::string(const std::string&)> environment;  // "" for a variable that is not set
};
Console system_console();

/// Chooses the program and runs it: by the name we were called by (proxy-server, proxy-agent,
/// manager, and agent, which is what the add-on's images call their addon-agent), else by the first
/// argument. Returns the exit code: 0 for help, 1 for whatever is not understood; of programs with
/// Go's flag syntax 2 for a flag that is not understood, as Go has it.
int run_command(std::span<const std::string> command_line, const Programs& programs,
                const Console& console);

}  // namespace cli
