#include "cli/commands.h"

#include "cli/bench_command.h"
#include "cli/completion_command.h"
#include "cli/dial_command.h"
#include "cli/docs_command.h"
#include "cli/doctor_command.h"
#include "cli/forward_command.h"
#include "cli/help_command.h"
#include "cli/kubeconfig_command.h"
#include "cli/pki_command.h"
#include "cli/program_commands.h"
#include "cli/proxy_command.h"
#include "cli/status_command.h"
#include "cli/version_command.h"

namespace cli {
namespace {

constexpr std::string_view kOverview =
    R"(cluster-proxy reaches the services of clusters that can only dial out.

Agents in those clusters keep tunnels open to a server; clients connect to any service of any cluster through it. It speaks the protocol of Kubernetes' konnectivity (apiserver-network-proxy).

Called as proxy-server or proxy-agent, the program behaves as konnectivity's program of that name; called as manager or agent, as the add-on's manager and addon-agent. The exit code is 0 for success and 1 for any failure, a flag that is not understood included (of manager and addon-agent, whose flags are Go's, 2), and after a signal 128 and its number. Programs that serve until one comes end with 0.)";

}  // namespace

Command all_commands(const Programs& programs) {
  return {.name = "cluster-proxy",
          .text = std::string(kOverview),
          .commands = {
              server_command(programs.server),
              agent_command(programs.agent),
              manager_command(programs.manager),
              addon_agent_command(programs.addon_agent),
              dial_command(),
              forward_command(),
              proxy_command(),
              bench_command(),
              status_command(),
              top_command(),
              doctor_command(),
              kubeconfig_command(),
              pki_command(),
              completion_command(),
              complete_command(),
              docs_command(),
              version_command(),
              help_command(),
          }};
}

}  // namespace cli
