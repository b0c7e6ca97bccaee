#pragma once

#include <cstdint>
#include <string>

#include "app/addon_agent_config.h"
#include "cli/flag_set.h"
#include "cli/log_flags.h"

namespace cli {

/// The flags of `cluster-proxy addon-agent`: those of the reference's /agent, in Go's syntax, and
/// ours.
class AddonAgentFlags {
 public:
  AddonAgentFlags();
  AddonAgentFlags(const AddonAgentFlags&) = delete;
  AddonAgentFlags& operator=(const AddonAgentFlags&) = delete;

  FlagSet& table() { return table_; }

  /// Checks what was parsed. `pod_namespace` is the environment's POD_NAMESPACE.
  base::Result<app::AddonAgentConfig> config(const std::string& pod_namespace) const;

 private:
  void add_clusters();
  void add_health();
  void add_forwarding();
  base::Result<void> check_clusters(const app::AddonAgentConfig& config) const;

  app::AddonAgentConfig config_;
  std::string health_address_ = ":8888";
  std::string forward_address_ = "localhost:8091";
  std::int64_t target_port_ = 8091;
  LogFlags log_{0};
  FlagSet table_{FlagSyntax::go};
};

}  // namespace cli
