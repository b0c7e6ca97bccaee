#include <csignal>
#include <exception>
#include <fcntl.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "app/addon_agent.h"
#include "app/addon_manager.h"
#include "app/tunnel_agent.h"
#include "app/tunnel_server.h"
#include "cli/commands.h"

namespace {

// A socket must not get the number of a standard stream that is closed: what is printed would go
// there. Writing to a standard output that was closed still fails.
void keep_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    (void)::open("/dev/null", descriptor == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// As Go's runtime does: the soft limit is often 1,024, for the sake of programs that use select(2).
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_descriptors();
  raise_descriptor_limit();
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
