#pragma once

#include <string_view>

#include "addon/agent_values.h"
#include "addon/object.h"
#include "addon/proxy_configuration.h"
#include "base/check.h"

namespace addon::testing {

inline json::object parsed(std::string_view text) {
  auto value = kube::parse_json(text);
  CHECK(value && value->is_object());
  return value->get_object();
}

/// A configuration as the chart makes it, with an entrypoint of type Hostname.
inline json::object configuration_object() {
  return parsed(R"({
    "apiVersion": "proxy.open-cluster-management.io/v1alpha1", "kind": "ManagedProxyConfiguration",
    "metadata": {"name": "cluster-proxy", "uid": "u1", "generation": 7},
    "spec": {
      "authentication": {"dump": {"secrets": {}}, "signer": {"type": "SelfSigned"}},
      "proxyServer": {"image": "r.example/p:v1", "namespace": "hub", "replicas": 2,
                      "entrypoint": {"type": "Hostname", "hostname": {"value": "entry.example"}}},
      "proxyAgent": {"image": "r.example/a:v1", "replicas": 2}}})");
}

/// The object reached by names, made where there is none.
inline json::object& at(json::object& object, std::initializer_list<std::string_view> path) {
  json::object* place = &object;
  for (const auto name : path) place = &make_object(*place, name);
  return *place;
}

/// Everything that an agent of cluster "c1" is rendered from; each test changes what it is about.
struct AgentWorld {
  json::object configuration = configuration_object();
  json::object cluster = parsed(R"({"metadata": {"name": "c1"}})");
  json::object addon =
      parsed(R"({"metadata": {"name": "cluster-proxy", "namespace": "c1", "uid": "a1"}})");
  std::optional<DeploymentConfig> config;
  std::optional<json::object> load_balancer;
  std::optional<json::object> service_proxy_secret;
  AgentOptions options{.agent_image = "", .install_namespace = "agents"};

  base::Result<json::object> values() const {
    const auto read = read_proxy_configuration(configuration);
    return agent_values(
        {.configuration = read,
         .options = options,
         .managed_cluster = cluster,
         .addon = addon,
         .deployment_config = config ? &*config : nullptr,
         .load_balancer_service = load_balancer ? &*load_balancer : nullptr,
         .service_proxy_secret = service_proxy_secret ? &*service_proxy_secret : nullptr,
         .ca_pem = "PEM",
         .exposed = {}});
  }

  /// Refers to an AddOnDeploymentConfig, and gives it.
  void configure(DeploymentConfig wanted) {
    config = std::move(wanted);
    at(addon, {"status"})["configReferences"] = {
        {{"group", "addon.open-cluster-management.io"},
         {"resource", "addondeploymentconfigs"},
         {"desiredConfig", {{"namespace", "c1"}, {"name", "adc"}, {"specHash", "h"}}}}};
  }
};

}  // namespace addon::testing
