#pragma once

#include <string>

#include "addon/agent_values.h"
#include "app/common_config.h"

namespace app {

/// `cluster-proxy manager`, every flag as a typed and validated value.
struct AddonManagerConfig {
  ListenAddress metrics{"", 58080};
  ListenAddress health{"", 58081};
  bool leader_elect = false;
  std::string pod_namespace;  // never empty once parsed

  std::string signer_namespace = "default";
  std::string signer_secret = "cluster-proxy-signer";
  addon::AgentOptions agent{.install_namespace = "open-cluster-management-cluster-proxy",
                            .service_proxy = true};
  std::string image_pull_policy = "IfNotPresent";
  bool cluster_profiles = false;  // --feature-gates=ClusterProfile=true

  KubeAccess kube;
  LogConfig log;
  std::string listing;  // the flags that differ from their defaults: one line for the log
};

}  // namespace app
