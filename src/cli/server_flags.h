#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/tunnel_server_config.h"
#include "cli/flag_set.h"
#include "cli/log_flags.h"
#include "cli/rules.h"

namespace cli {

/// The flags of `cluster-proxy server`: those of konnectivity's proxy-server, and ours.
class ServerFlags {
 public:
  ServerFlags();
  ServerFlags(const ServerFlags&) = delete;
  ServerFlags& operator=(const ServerFlags&) = delete;

  FlagSet& table() { return table_; }

  /// Checks what was parsed. `environment_id` is PROXY_SERVER_ID, which --server-id overrides;
  /// without either an identity is made up.
  base::Result<app::TunnelServerConfig> config(const std::string& environment_id) const;

 private:
  void add_frontend();
  void add_agents();
  void add_access();
  void add_operation();
  void add_kubernetes();
  void add_behaviour();

  app::TunnelServerConfig config_;
  std::string mode_ = "grpc";
  std::string strategies_ = "default";
  std::vector<std::string> cipher_suites_;
  std::string tls_minimum_;
  std::string lease_labels_ = "k8s-app=konnectivity-server";
  app::TokenAuthentication authentication_;
  std::string cluster_identity_ = "off";
  std::vector<std::string> cluster_identifiers_;
  std::vector<std::string> client_rules_;
  std::int64_t frontend_port_ = 8090;
  std::int64_t other_frontend_port_ = 0;
  std::int64_t agent_port_ = 8091;
  std::int64_t health_port_ = 8092;
  std::int64_t admin_port_ = 8095;
  std::int64_t server_count_ = 1;
  std::int64_t queue_ = 10;
  std::int64_t threads_ = 0;
  async::Duration busy_poll_ = kBusyPoll;
  std::int64_t kube_burst_ = 0;
  bool warn_on_channel_limit_ = true;
  LogFlags log_;
  FlagSet table_;

  base::Result<void> check_frontend(app::TunnelServerConfig& config) const;
  base::Result<void> check_ports(app::TunnelServerConfig& config) const;
  base::Result<void> check_authentication(app::TunnelServerConfig& config) const;
  base::Result<void> check_access(app::TunnelServerConfig& config) const;
  base::Result<void> check_behaviour(app::TunnelServerConfig& config) const;
};

/// "default,destHost": at least one known name, empty items skipped.
base::Result<std::vector<tunnel::Strategy>> parse_strategies(const std::string& text);

}  // namespace cli
