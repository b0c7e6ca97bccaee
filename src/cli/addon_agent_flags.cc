#include "cli/addon_agent_flags.h"

#include "cli/rules.h"
#include "http/url.h"
#include "kube/labels.h"

namespace cli {

AddonAgentFlags::AddonAgentFlags() {
  add_clusters();
  add_health();
  add_forwarding();
  log_.add_to(table_);
}

void AddonAgentFlags::add_clusters() {
  table_.section("Cluster flags");
  table_.add_string("hub-kubeconfig", config_.hub_kubeconfig,
                    "Kubeconfig file for the hub. It and the files that it names are re-read when "
                    "they change. Empty means the pod's service account.");
  table_.add_string("cluster-name", config_.cluster_name,
                    "Name of this managed cluster: the namespace on the hub for the lease, when "
                    "this cluster has no place for it.");
  table_.add_string("kubeconfig", config_.kubeconfig,
                    "Kubeconfig file for this cluster. Empty means the pod's service account.");
}

void AddonAgentFlags::add_health() {
  table_.section("Health flags");
  table_.add_switch("enable-proxy-agent-health-check", config_.check_proxy_agent,
                    "Renew the lease only while the proxy-agent in the same pod is ready.");
  table_.add_string("proxy-agent-ready-url", config_.ready_url,
                    "Where the proxy-agent says whether it is ready.");
  table_.add_string("health-bind-address", health_address_,
                    "Address of /healthz, /readyz and /metrics.");
  table_.add_string(
      "agent-cert", config_.watched.certificate,
      "Certificate of the proxy-agent. When it or --agent-key changes, /healthz fails "
      "once, so that the kubelet restarts a proxy-agent that does not re-read it.");
  table_.add_string("agent-key", config_.watched.key, "Key of --agent-cert.");
}

void AddonAgentFlags::add_forwarding() {
  auto& forwarding = config_.forwarding;
  table_.section("Port forwarding flags");
  table_.add_switch("enable-port-forward-proxy", forwarding.enabled,
                    "Lead the proxy-agent's connections through the hub's API server to the proxy "
                    "servers.");
  table_.add_string("proxy-server-namespace", forwarding.server_namespace,
                    "Namespace of the proxy servers' pods on the hub.");
  table_.add_string("port-forward-bind-address", forward_address_,
                    "Where the proxy-agent connects to. --proxy-server-port of the proxy-agent has "
                    "to be the same.");
  table_.add_int("port-forward-target-port", target_port_,
                 "Port on which the proxy servers await agents.");
  table_.add_string("proxy-server-label-selector", forwarding.label_selector,
                    "Which pods are proxy servers.");
}

base::Result<void> AddonAgentFlags::check_clusters(const app::AddonAgentConfig& config) const {
  if (config.pod_namespace.empty()) {
    return base::fail(base::Code::invalid,
                      "the environment variable POD_NAMESPACE is not set: give it the namespace of "
                      "this pod (fieldRef metadata.namespace)");
  }
  TRY_VOID(check_readable("--hub-kubeconfig", config.hub_kubeconfig));
  return check_readable("--kubeconfig", config.kubeconfig);
}

base::Result<app::AddonAgentConfig> AddonAgentFlags::config(
    const std::string& pod_namespace) const {
  app::AddonAgentConfig config = config_;
  config.pod_namespace = pod_namespace;
  TRY_VOID(check_clusters(config));
  TRY(config.health, check_listen("--health-bind-address", health_address_));
  TRY(config.forwarding.listen, check_listen("--port-forward-bind-address", forward_address_));
  TRY(config.forwarding.target_port, check_port("--port-forward-target-port", target_port_, {}));
  if (!http::parse_url(config.ready_url)) {
    return bad_flag("--proxy-agent-ready-url", config.ready_url, "want http://host:port/path");
  }
  TRY(config.log, log_.config("addon-agent"));
  config.listing = table_.listing();
  return config;
}

}  // namespace cli
