#pragma once

#include <optional>
#include <string>
#include <vector>

#include "addon/deployment_config.h"
#include "addon/proxy_configuration.h"
#include "addon/service_resolver.h"
#include "base/result.h"

namespace addon {

/// What the manager's flags decide about agents.
struct AgentOptions {
  std::string
      agent_image;  // of addon-agent and service-proxy; "" = the configuration's agent image
  std::string install_namespace;
  bool kube_api_proxy = true;
  bool service_proxy = false;
  bool network_policies = false;
};

/// One revision of everything that an agent is rendered from.
struct AgentInputs {
  const ProxyConfiguration& configuration;  // valid
  const AgentOptions& options;
  const json::object& managed_cluster;
  const json::object& addon;                  // the ManagedClusterAddOn
  const DeploymentConfig* deployment_config;  // nullptr = none referenced
  const json::object* load_balancer_service;  // nullptr = absent or not of interest
  const json::object* service_proxy_secret;   // nullptr = absent
  std::string ca_pem;                         // of the signer
  std::vector<ExposedService> exposed;        // of ManagedProxyServiceResolvers
};

/// The values of the agent's chart, later sources over earlier ones: defaults, configuration,
/// cluster, AddOnDeploymentConfig, and the built-in ones that nothing overrides. Errors name what
/// is missing and where to give it; no value is ever part of an error.
base::Result<json::object> agent_values(const AgentInputs& inputs);

/// The address that agents dial.
base::Result<std::string> service_entrypoint(const ProxyConfiguration& configuration,
                                             const json::object* load_balancer_service);

}  // namespace addon
