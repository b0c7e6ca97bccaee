#include "cli/program_commands.h"

#include <optional>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/addon_agent_flags.h"
#include "cli/agent_flags.h"
#include "cli/manager_flags.h"
#include "cli/server_flags.h"
#include "cli/version.h"

namespace cli {
namespace {

/// What only this project's program knows comes by the environment where its image may be
/// another's, which would refuse the flag. A flag that is given counts more.
base::Result<void> set_handover(FlagSet& flags, const Console& console) {
  constexpr std::string_view kFlag = "handover-timeout";
  const std::string variable = "PROXY_SERVER_HANDOVER_TIMEOUT";
  const std::string value = console.environment(variable);
  if (value.empty() || !flags.flags().contains(kFlag) || flags.changed(kFlag)) return {};
  if (auto set = flags.set(kFlag, value); !set)
    return std::unexpected(std::move(set).error().within(variable));
  return {};
}

/// Turns the table of `Flags` into a `Config`, and runs a program with it.
template <typename Flags, typename Config>
class Program : public Action {
 public:
  using Run = std::function<int(const Config&)>;

  /// `id_variable` names the environment variable that Flags::config() is given.
  Program(std::string id_variable, Run run)
      : id_variable_(std::move(id_variable)), run_(std::move(run)) {}

  FlagSet& flags() override { return flags_.table(); }

  base::Result<void> prepare(const Invocation& invocation) override {
    for (const std::string& stray : invocation.arguments) {
      invocation.console.error(fmt::format(
          "Ignoring the argument \"{}\": it belongs to no flag (switches take =true or =false)\n",
          stray));
    }
    TRY_VOID(set_handover(flags_.table(), invocation.console));
    TRY(config_, flags_.config(invocation.console.environment(id_variable_)));
    return base::log::configure(config_->log.sink);
  }

  base::Result<int> run(const Invocation& invocation) override {
    LOG_INFO("starting", {"program", invocation.name}, {"version", kVersion},
             {"flags", config_->listing});
    return run_(*config_);
  }

 private:
  std::string id_variable_;
  Run run_;
  Flags flags_;
  std::optional<Config> config_;
};

template <typename Flags, typename Config>
std::function<std::unique_ptr<Action>()> program(std::string id_variable,
                                                 std::function<int(const Config&)> run) {
  return [id_variable = std::move(id_variable), run = std::move(run)] {
    return std::make_unique<Program<Flags, Config>>(id_variable, run);
  };
}

}  // namespace

Command server_command(std::function<int(const app::TunnelServerConfig&)> run) {
  return {.name = "server",
          .program_names = {"proxy-server"},
          .group = "Tunnel Commands",
          .summary = "Accept tunnels from agents, and connections for them from clients",
          .text =
              "Accepts tunnels from agents, takes connections from clients such as "
              "kube-apiserver and joins the two.",
          .make = program<ServerFlags>("PROXY_SERVER_ID", std::move(run))};
}

Command agent_command(std::function<int(const app::TunnelAgentConfig&)> run) {
  return {.name = "agent",
          .program_names = {"proxy-agent"},
          .group = "Tunnel Commands",
          .summary = "Keep tunnels to the servers and open connections inside this cluster",
          .text =
              "Keeps tunnels to the servers and opens the connections that clients ask for, in "
              "this agent's network.",
          .make = program<AgentFlags>("PROXY_AGENT_ID", std::move(run))};
}

Command manager_command(std::function<int(const app::AddonManagerConfig&)> run) {
  return {.name = "manager",
          .program_names = {"manager"},
          .group = "Add-on Commands",
          .summary =
              "On an Open Cluster Management hub: install servers, and agents on every managed "
              "cluster",
          .text =
              "Installs the cluster-proxy add-on: proxy servers on this hub, agents on every "
              "managed cluster through Open Cluster Management, and the certificates between "
              "them.",
          .make = program<ManagerFlags>("POD_NAMESPACE", std::move(run))};
}

Command addon_agent_command(std::function<int(const app::AddonAgentConfig&)> run) {
  return {.name = "addon-agent",
          .program_names = {"agent"},
          .group = "Add-on Commands",
          .summary =
              "Report the health of this cluster's agent, and lead its tunnels through the "
              "hub's API server",
          .text =
              "Renews the add-on's lease while the proxy-agent in the same pod is ready, and "
              "optionally leads the proxy-agent's connections through the hub's API server to the "
              "proxy servers.",
          .make = program<AddonAgentFlags>("POD_NAMESPACE", std::move(run))};
}

}  // namespace cli
