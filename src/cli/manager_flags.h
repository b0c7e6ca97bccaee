#pragma once

#include <string>

#include "app/addon_manager_config.h"
#include "cli/flag_set.h"
#include "cli/log_flags.h"

namespace cli {

/// The flags of `cluster-proxy manager`: those of the reference's /manager, in Go's syntax, and
/// ours.
class ManagerFlags {
 public:
  ManagerFlags();
  ManagerFlags(const ManagerFlags&) = delete;
  ManagerFlags& operator=(const ManagerFlags&) = delete;

  FlagSet& table() { return table_; }

  /// Checks what was parsed. `pod_namespace` is the environment's POD_NAMESPACE.
  base::Result<app::AddonManagerConfig> config(const std::string& pod_namespace) const;

 private:
  void add_operation();
  void add_hub();
  void add_agents();
  base::Result<void> check_gates(app::AddonManagerConfig& config) const;
  base::Result<void> check_names(const app::AddonManagerConfig& config) const;

  app::AddonManagerConfig config_;
  std::string metrics_address_ = ":58080";
  std::string health_address_ = ":58081";
  std::vector<std::string> gates_;
  LogFlags log_{0};
  FlagSet table_{FlagSyntax::go};
};

}  // namespace cli
