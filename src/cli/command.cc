#include "cli/command.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/addon_agent_flags.h"
#include "cli/agent_flags.h"
#include "cli/log_flags.h"
#include "cli/manager_flags.h"
#include "cli/server_flags.h"
#include "cli/suggest.h"
#include "cli/version.h"

namespace cli {
namespace {

constexpr std::string_view kOverview =
    R"(cluster-proxy reaches the services of clusters that can only dial out.

Agents in those clusters keep tunnels open to a server; clients connect to any service of any cluster through it.
It speaks the protocol of Kubernetes' konnectivity (apiserver-network-proxy).

Tunnel Commands:
  server      Accept tunnels from agents, and connections for them from clients
  agent       Keep tunnels to the servers and open connections inside this cluster

Add-on Commands:
  manager     On an Open Cluster Management hub: install servers, and agents on every managed cluster
  addon-agent Report the health of this cluster's agent, and lead its tunnels through the hub's API server

Other Commands:
  version     Print the version
  help        Explain a command

Usage:
  cluster-proxy COMMAND [flags]

Use "cluster-proxy COMMAND --help" for the flags of a command. Called as proxy-server or proxy-agent, the program
behaves as konnectivity's program of that name; called as agent, as the add-on's addon-agent.
)";

constexpr std::string_view kServerAbout =
    "Accepts tunnels from agents, takes connections from clients such as kube-apiserver and joins "
    "the two.";
constexpr std::string_view kAgentAbout =
    "Keeps tunnels to the servers and opens the connections that clients ask for, in this agent's "
    "network.";

constexpr std::string_view kManagerAbout =
    "Installs the cluster-proxy add-on: proxy servers on this hub, agents on every managed cluster "
    "through Open Cluster Management, and the certificates between them.";
constexpr std::string_view kAddonAgentAbout =
    "Renews the add-on's lease while the proxy-agent in the same pod is ready, and optionally "
    "leads "
    "the proxy-agent's connections through the hub's API server to the proxy servers.";

int fail_usage(const Console& console, std::string_view program, const base::Error& error) {
  console.error(
      fmt::format("Error: {0}\n\nUsage:\n  {1} [flags]\n\nRun \"{1} --help\" for all flags.\n",
                  error.message, program));
  return 1;
}

/// Parses `arguments` by the table of `Flags` and runs `program` with the configuration that comes
/// out.
template <typename Flags, typename Run>
int run_program(std::string_view name, std::string_view about, const char* id_variable,
                std::span<const std::string> arguments, const Run& run, const Console& console) {
  Flags flags;
  auto parsed = flags.table().parse(arguments);
  if (!parsed) {
    const int code = fail_usage(console, name, parsed.error());
    return flags.table().syntax() == FlagSyntax::go ? 2 : code;
  }
  if (parsed->help) {
    console.out(fmt::format("{}\n\nUsage:\n  {} [flags]\n{}", about, name, flags.table().help()));
    return 0;
  }
  for (const std::string& notice : parsed->notices) console.error(notice + "\n");
  for (const std::string& stray : parsed->arguments) {
    console.error(fmt::format(
        "Ignoring the argument \"{}\": it belongs to no flag (switches take =true or =false)\n",
        stray));
  }
  auto config = flags.config(console.environment(id_variable));
  if (!config) return fail_usage(console, name, config.error());
  if (auto opened = base::log::configure(config->log.sink); !opened)
    return fail_usage(console, name, opened.error());
  LOG_INFO("starting", {"program", name}, {"version", kVersion}, {"flags", config->listing});
  return run(*config);
}

// What only this project's server knows comes by the environment where its image may be another's,
// which would refuse the flag. Flags that are given count more.
int run_server(std::string_view name, std::span<const std::string> arguments,
               const Programs& programs, const Console& console) {
  std::vector<std::string> all(arguments.begin(), arguments.end());
  const auto handover = console.environment("PROXY_SERVER_HANDOVER_TIMEOUT");
  if (!handover.empty()) all.insert(all.begin(), "--handover-timeout=" + handover);
  return run_program<ServerFlags>(name, kServerAbout, "PROXY_SERVER_ID", all, programs.server,
                                  console);
}

int run_manager(std::string_view name, std::span<const std::string> arguments,
                const Programs& programs, const Console& console) {
  return run_program<ManagerFlags>(name, kManagerAbout, "POD_NAMESPACE", arguments,
                                   programs.manager, console);
}

int run_agent(std::string_view name, std::span<const std::string> arguments,
              const Programs& programs, const Console& console) {
  return run_program<AgentFlags>(name, kAgentAbout, "PROXY_AGENT_ID", arguments, programs.agent,
                                 console);
}

int run_addon_agent(std::string_view name, std::span<const std::string> arguments,
                    const Programs& programs, const Console& console) {
  return run_program<AddonAgentFlags>(name, kAddonAgentAbout, "POD_NAMESPACE", arguments,
                                      programs.addon_agent, console);
}

int unknown_command(std::string_view command, const Console& console) {
  constexpr std::array<std::string_view, 6> kCommands = {"server",      "agent",   "manager",
                                                         "addon-agent", "version", "help"};
  const std::string_view close = closest(command, kCommands);
  const std::string hint = close.empty() ? "" : fmt::format("\nDid you mean this?\n  {}\n", close);
  const std::string_view kind = command.starts_with('-') ? "flag" : "command";
  console.error(
      fmt::format("Error: unknown {} \"{}\" for \"cluster-proxy\"\n{}\nRun \"cluster-proxy "
                  "--help\" for what there is.\n",
                  kind, command, hint));
  return 1;
}

int run_subcommand(std::span<const std::string> arguments, const Programs& programs,
                   const Console& console) {
  const std::string command = arguments.empty() ? "help" : arguments.front();
  const auto rest = arguments.subspan(arguments.empty() ? 0 : 1);
  if (command == "server") return run_server("cluster-proxy server", rest, programs, console);
  if (command == "agent") return run_agent("cluster-proxy agent", rest, programs, console);
  if (command == "manager") return run_manager("cluster-proxy manager", rest, programs, console);
  if (command == "addon-agent") {
    return run_addon_agent("cluster-proxy addon-agent", rest, programs, console);
  }
  if (command == "version" || command == "--version") {
    console.out(
        fmt::format("cluster-proxy {} (konnectivity {})\n", kVersion, kKonnectivityVersion));
    return 0;
  }
  const bool asks_help = command == "help" || command == "--help" || command == "-h";
  if (!asks_help) return unknown_command(command, console);
  if (command == "help" && !rest.empty()) {
    const std::array<std::string, 2> explained = {rest.front(), "--help"};
    return run_subcommand(explained, programs, console);
  }
  console.out(kOverview);
  return 0;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Console system_console() {
  return {.out = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); },
          .error = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); },
          .environment =
              [](const std::string& name) {
                const char* value = std::getenv(name.c_str());
                return std::string(value == nullptr ? "" : value);
              }};
}

int run_command(std::span<const std::string> command_line, const Programs& programs,
                const Console& console) {
  const std::string_view called =
      command_line.empty() ? std::string_view() : base_name(command_line.front());
  const auto arguments = command_line.subspan(command_line.empty() ? 0 : 1);
  if (called == "proxy-server") return run_server("proxy-server", arguments, programs, console);
  if (called == "proxy-agent") return run_agent("proxy-agent", arguments, programs, console);
  if (called == "manager") return run_manager("manager", arguments, programs, console);
  if (called == "agent") return run_addon_agent("agent", arguments, programs, console);
  return run_subcommand(arguments, programs, console);
}

}  // namespace cli
