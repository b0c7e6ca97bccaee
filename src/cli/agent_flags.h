#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/tunnel_agent_config.h"
#include "cli/flag_set.h"
#include "cli/log_flags.h"
#include "cli/rules.h"

namespace cli {

/// The flags of `cluster-proxy agent`: those of konnectivity's proxy-agent, and ours.
class AgentFlags {
 public:
  AgentFlags();
  AgentFlags(const AgentFlags&) = delete;
  AgentFlags& operator=(const AgentFlags&) = delete;

  FlagSet& table() { return table_; }

  /// Checks what was parsed. `environment_id` is PROXY_AGENT_ID, which --agent-id overrides;
  /// without either an identity is made up.
  base::Result<app::TunnelAgentConfig> config(const std::string& environment_id) const;

 private:
  void add_servers();
  void add_identity();
  void add_access();
  void add_operation();
  void add_kubernetes();
  void add_behaviour();

  app::TunnelAgentConfig config_;
  std::vector<std::string> more_servers_;
  std::string count_source_ = "default";
  std::vector<std::string> allowed_destinations_;
  std::vector<std::string> denied_destinations_;
  std::int64_t server_port_ = 8091;
  std::int64_t health_port_ = 8093;
  std::int64_t admin_port_ = 8094;
  std::int64_t queue_ = 150;
  std::int64_t threads_ = 0;
  async::Duration busy_poll_ = kBusyPoll;
  LogFlags log_;
  FlagSet table_;

  base::Result<void> check_files() const;
  base::Result<void> check_servers(app::TunnelAgentConfig& config) const;
  base::Result<void> check_timing(app::TunnelAgentConfig& config) const;
  base::Result<void> check_access(app::TunnelAgentConfig& config) const;
  base::Result<void> check_behaviour(app::TunnelAgentConfig& config) const;
};

}  // namespace cli
