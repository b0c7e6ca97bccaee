#pragma once

#include <string>

#include "app/common_config.h"
#include "net/address.h"
#include "pki/tls_files.h"

namespace app {

/// How connections get to the proxy servers through the hub's API server.
struct PortForwarding {
  bool enabled = false;
  ListenAddress listen{"localhost", 8091};
  std::string server_namespace = "open-cluster-management-addon";
  std::string label_selector = "proxy.open-cluster-management.io/component-name=proxy-server";
  std::uint16_t target_port = 8091;  // of the pods, where agents are awaited
};

/// `cluster-proxy addon-agent`, every flag as a typed and validated value.
struct AddonAgentConfig {
  std::string pod_namespace;   // never empty once parsed: where the lease is kept
  std::string cluster_name;    // namespace of the lease on the hub, when there is none here
  std::string hub_kubeconfig;  // empty = the pod's service account
  std::string kubeconfig;      // of this cluster; empty = the pod's service account

  bool check_proxy_agent = true;
  std::string ready_url = "http://localhost:8093/readyz";  // of the proxy-agent in the same pod
  ListenAddress health{"", 8888};
  bool check_certificates = true;  // /healthz fails once when those of `watched` have changed
  pki::TlsFiles watched{"/etc/tls/tls.crt", "/etc/tls/tls.key", ""};  // the proxy-agent's

  PortForwarding forwarding;

  LogConfig log;
  std::string listing;  // the flags that differ from their defaults: one line for the log
};

}  // namespace app
