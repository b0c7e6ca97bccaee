#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/addon_agent.h"
#include "app/addon_manager.h"
#include "app/tunnel_agent.h"
#include "app/tunnel_server.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  // A peer that hangs up is an error of the write, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> command_line(argv, argv + argc);
  const cli::Console console = cli::system_console();
  try {
    const cli::Programs programs = {.server = app::run_tunnel_server,
                                    .agent = app::run_tunnel_agent,
                                    .manager = app::run_addon_manager,
                                    .addon_agent = app::run_addon_agent};
    return cli::run_command(cli::all_commands(programs), command_line, console);
  } catch (const std::exception& error) {
    console.error(fmt::format("Error: {}\n", error.what()));
    return 1;
  }
}
