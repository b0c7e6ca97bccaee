#include "cli/manager_flags.h"

#include <array>

#include "cli/go_values.h"
#include "cli/rules.h"

namespace cli {

ManagerFlags::ManagerFlags() {
  add_operation();
  add_hub();
  add_agents();
  log_.add_to(table_);
}

void ManagerFlags::add_operation() {
  table_.section("Operation flags");
  table_.add_string("metrics-bind-address", metrics_address_, "Address of /metrics.");
  table_.add_string("health-probe-bind-address", health_address_,
                    "Address of /healthz and /readyz. Ready means: the hub's objects are known.");
  table_.add_switch(
      "leader-elect", config_.leader_elect,
      "Let one of several replicas write at a time, by a Lease in the pod's namespace.");
  table_.add_list(
      "feature-gates", gates_,
      "Features to switch on or off, as name=true: ClusterProfile (alpha, off), AllAlpha, "
      "AllBeta.");
}

void ManagerFlags::add_hub() {
  table_.section("Hub flags");
  table_.add_string(
      "kubeconfig", config_.kube.kubeconfig,
      "Kubeconfig file for the hub. Empty means $KUBECONFIG, or else the pod's service "
      "account.");
  table_.add_float("kube-api-qps", config_.kube.qps,
                   "Requests a second to the API server after a burst. 0 means 50.");
  table_.add_string("signer-secret-namespace", config_.signer_namespace,
                    "Namespace of the signing authority's Secret, and of the service proxies' "
                    "certificate.");
  table_.add_string("signer-secret-name", config_.signer_secret,
                    "Name of the signing authority's Secret; it is made when there is none.");
  table_.add_string("image-pull-policy", config_.image_pull_policy,
                    "Pull policy of the proxy servers' image: Always, IfNotPresent or Never.");
}

void ManagerFlags::add_agents() {
  auto& agent = config_.agent;
  table_.section("Agent flags");
  table_.add_string(
      "agent-image-name", agent.agent_image,
      "Image of the addon-agent and the service proxy. Empty means the agent image of "
      "the ManagedProxyConfiguration.");
  table_.add_string("agent-install-namespace", agent.install_namespace,
                    "Namespace of agents on managed clusters, unless an AddOnDeploymentConfig says "
                    "otherwise.");
  table_.add_switch("enable-kube-api-proxy", agent.kube_api_proxy,
                    "Let clients reach a cluster's API server by the cluster's name.");
  table_.add_switch("enable-service-proxy", agent.service_proxy,
                    "Run the service proxy beside the agent.");
  table_.add_switch("enable-network-policies", agent.network_policies,
                    "Put a NetworkPolicy around the agents.");
}

base::Result<void> ManagerFlags::check_gates(app::AddonManagerConfig& config) const {
  for (const auto& gate : gates_) {
    const auto equals = gate.find('=');
    const auto name = gate.substr(0, equals);
    constexpr std::array<std::string_view, 3> kKnown = {"ClusterProfile", "AllAlpha", "AllBeta"};
    if (std::ranges::find(kKnown, name) == kKnown.end()) {
      return bad_flag("--feature-gates", gate,
                      "there is no such gate; there are ClusterProfile, AllAlpha and AllBeta");
    }
    const auto value = parse_go_bool(
        equals == gate.npos ? std::string_view() : std::string_view(gate).substr(equals + 1));
    if (!value) return bad_flag("--feature-gates", gate, "want name=true or name=false");
    if (name != "AllBeta") config.cluster_profiles = *value;
  }
  return {};
}

base::Result<void> ManagerFlags::check_names(const app::AddonManagerConfig& config) const {
  if (config.pod_namespace.empty()) {
    return base::fail(base::Code::invalid,
                      "the environment variable POD_NAMESPACE is not set: give it the namespace of "
                      "this pod (fieldRef metadata.namespace)");
  }
  if (config.signer_namespace.empty() || config.signer_secret.empty()) {
    return base::fail(base::Code::invalid,
                      "--signer-secret-namespace and --signer-secret-name must not be empty");
  }
  constexpr std::array<std::string_view, 3> kPolicies = {"Always", "IfNotPresent", "Never"};
  if (std::ranges::find(kPolicies, config.image_pull_policy) == kPolicies.end()) {
    return bad_flag("--image-pull-policy", config.image_pull_policy,
                    "want Always, IfNotPresent or Never");
  }
  return check_readable("--kubeconfig", config.kube.kubeconfig);
}

base::Result<app::AddonManagerConfig> ManagerFlags::config(const std::string& pod_namespace) const {
  app::AddonManagerConfig config = config_;
  config.pod_namespace = pod_namespace;
  TRY_VOID(check_gates(config));
  TRY_VOID(check_names(config));
  TRY(config.metrics, check_listen("--metrics-bind-address", metrics_address_));
  TRY(config.health, check_listen("--health-probe-bind-address", health_address_));
  TRY(config.log, log_.config("manager"));
  config.listing = table_.listing();
  return config;
}

}  // namespace cli
