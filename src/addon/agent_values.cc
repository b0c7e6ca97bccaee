#include "addon/agent_values.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "addon/addon_status.h"
#include "addon/hashes.h"
#include "addon/image.h"
#include "addon/names.h"
#include "addon/object.h"
#include "addon/proxy_server.h"
#include "http/base64.h"
#include "pki/pem.h"

namespace addon {
namespace {

using base::Code;
using base::fail;
using base::Result;

/// `over` wins; objects merge member by member. A null stays: it takes the chart's default away.
void merge(json::object& values, const json::object& over) {
  for (const auto& member : over) {
    auto* was = values.if_contains(member.key());
    if (was != nullptr && was->is_object() && member.value().is_object()) {
      merge(was->get_object(), member.value().get_object());
    } else {
      values[member.key()] = member.value();
    }
  }
}

std::string identifiers(const AgentInputs& inputs, std::string_view in_namespace) {
  const auto cluster = name_of(inputs.managed_cluster);
  std::vector<std::string> hosts = {service_proxy_host(cluster)};
  if (inputs.options.kube_api_proxy) {
    hosts.emplace_back(cluster);
    hosts.push_back(fmt::format("{}.{}", cluster, in_namespace));
  }
  for (const auto& service : inputs.exposed) hosts.push_back(service.host);
  return fmt::format("host={}", fmt::join(hosts, "&host="));
}

json::array addon_agent_args(const AgentInputs& inputs) {
  const auto& server = inputs.configuration.server;
  std::vector<std::string> args = {
      "--hub-kubeconfig=/etc/kubeconfig/kubeconfig",
      fmt::format("--cluster-name={}", name_of(inputs.managed_cluster)),
      fmt::format("--proxy-server-namespace={}", server.in_namespace)};
  if (server.entrypoint->is(EntrypointType::port_forward)) {
    args.emplace_back("--enable-port-forward-proxy=true");
  }
  return texts(args);
}

json::array services_to_expose(const std::vector<ExposedService>& exposed) {
  json::array services;
  for (const auto& service : exposed) {
    services.push_back({{"host", service.host}, {"externalName", service.external_name}});
  }
  return services;
}

json::object configured(const AgentInputs& inputs) {
  const auto& agent = inputs.configuration.agent;
  return {{"agentDeploymentName", kAgentDeployment},
          {"serviceDomain", "svc.cluster.local"},
          {"includeNamespaceCreation", true},
          {"additionalProxyAgentArgs", texts(agent.additional_args)},
          {"additionalServiceProxyArgs", texts(agent.additional_service_proxy_args)},
          {"proxyAgentImagePullSecrets", texts(agent.image_pull_secrets)},
          {"replicas", agent.replicas},
          {"additionalServiceCAConfigMap", agent.service_ca_config_map},
          {"base64EncodedCAData", http::base64_encode(inputs.ca_pem)},
          {"serviceEntryPointPort", entrypoint_port(inputs.configuration)},
          {"agentDeploymentAnnotations",
           {{kGenerationAnnotation, std::to_string(inputs.configuration.generation)}}},
          {"addonAgentArgs", addon_agent_args(inputs)},
          {"serviceProxyHost", service_proxy_host(name_of(inputs.managed_cluster))},
          {"servicesToExpose", services_to_expose(inputs.exposed)},
          {"enableKubeApiProxy", inputs.options.kube_api_proxy},
          {"networkPolicies", {{"enabled", inputs.options.network_policies}}}};
}

Result<json::object> images(const AgentInputs& inputs) {
  const auto& configured = inputs.configuration.agent.image;
  const auto& agent = inputs.options.agent_image;
  TRY(const auto addon, override_image(agent.empty() ? configured : agent, inputs.managed_cluster));
  TRY(const auto reference, parse_image(addon));
  TRY(const auto proxy, override_image(configured, inputs.managed_cluster));
  return json::object{{"registry", reference.registry},
                      {"image", reference.image},
                      {"tag", reference.tag},
                      {"proxyAgentImage", proxy}};
}

Result<json::object> service_proxy(const AgentInputs& inputs) {
  if (!inputs.options.service_proxy) return json::object();
  if (inputs.service_proxy_secret == nullptr) {
    return fail(Code::not_found,
                fmt::format("Secret {}, the certificate of the service proxies, is not "
                            "there yet; it is made by `cluster-proxy controllers`",
                            kServiceProxySecret));
  }
  const auto& data = object_at(*inputs.service_proxy_secret, "data");
  for (const auto* key : {"tls.crt", "tls.key"}) {
    if (!text_at(data, key).empty()) continue;
    return fail(Code::invalid,
                fmt::format("Secret {} has no {}; delete it, so that it is made again",
                            kServiceProxySecret, key));
  }
  return json::object{{"enableServiceProxy", true},
                      {"serviceProxySecretCert", text_at(data, "tls.crt")},
                      {"serviceProxySecretKey", text_at(data, "tls.key")}};
}

/// The node selector that the hub gives to the agent of its own cluster.
Result<json::object> local_cluster(const AgentInputs& inputs) {
  std::string local(label_of(inputs.managed_cluster, kLocalClusterLabel));
  std::ranges::transform(local, local.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  const auto annotation = annotation_of(inputs.managed_cluster, kNodeSelectorAnnotation);
  if (local != "true" || annotation.empty()) return json::object();
  const auto parsed = kube::parse_json(annotation);
  const bool good = parsed && parsed->is_object() &&
                    std::ranges::all_of(parsed->get_object(), [](const auto& member) {
                      return member.value().is_string();
                    });
  if (good) return json::object{{"nodeSelector", parsed->get_object()}};
  return fail(
      Code::invalid,
      fmt::format("annotation {} of ManagedCluster {}: no JSON object of texts; give for example "
                  "{{\"node-role.kubernetes.io/infra\":\"\"}}, or remove it",
                  kNodeSelectorAnnotation, name_of(inputs.managed_cluster)));
}

/// The authorities of both bundles, none twice.
Result<std::string> joined_bundles(std::string_view first, std::string_view second) {
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----\n";
  TRY(const auto both, pki::parse_ca_bundle(fmt::format("{}\n{}", first, second)));
  std::string joined;
  for (std::string_view rest = both; !rest.empty();) {
    const auto certificate = rest.substr(0, rest.find(kEnd) + kEnd.size());
    if (!joined.contains(certificate)) joined += certificate;
    rest.remove_prefix(certificate.size());
  }
  return joined;
}

Result<json::object> proxy_values(const DeploymentConfig::Proxy& proxy, std::string_view ca_pem) {
  json::object values = {{"proxyConfig",
                          {{"HTTP_PROXY", proxy.http_proxy},
                           {"HTTPS_PROXY", proxy.https_proxy},
                           {"NO_PROXY", proxy.no_proxy}}}};
  if (!proxy.https_proxy.starts_with("https") || proxy.ca_bundle.empty()) return values;
  auto bundle = joined_bundles(proxy.ca_bundle, ca_pem);
  if (!bundle) {
    return fail(
        std::move(bundle).error().within("AddOnDeploymentConfig: spec.proxyConfig.caBundle"));
  }
  values["base64EncodedCAData"] = http::base64_encode(*bundle);
  return values;
}

json::array resource_values(const std::vector<DeploymentConfig::Resources>& resources) {
  json::array entries;
  for (const auto& each : resources) {
    entries.push_back({{"containerID", each.container_id}, {"resources", each.resources}});
  }
  return entries;
}

Result<json::object> deployment_config_values(const AgentInputs& inputs) {
  json::object values;
  if (inputs.deployment_config == nullptr) return values;
  const auto& config = *inputs.deployment_config;
  for (const auto& [name, value] : config.variables) values[name] = value;
  if (const auto& placement = config.node_placement) {
    values["nodeSelector"] = unless_empty(placement->node_selector);
    values["tolerations"] = unless_empty(placement->tolerations);
  }
  TRY(const auto proxy,
      proxy_values(config.proxy.value_or(DeploymentConfig::Proxy()), inputs.ca_pem));
  merge(values, proxy);
  if (!config.resources.empty()) {
    values["global"] = {{"resourceRequirements", resource_values(config.resources)}};
  }
  return values;
}

json::object built_in(const AgentInputs& inputs, std::string_view in_namespace) {
  const bool hosted = !annotation_of(inputs.addon, kHostingClusterAnnotation).empty();
  return {{"clusterName", name_of(inputs.managed_cluster)},
          {"addonInstallNamespace", in_namespace},
          {"installMode", hosted ? "Hosted" : "Default"}};
}

}  // namespace

Result<std::string> service_entrypoint(const ProxyConfiguration& configuration,
                                       const json::object* load_balancer_service) {
  const auto& entrypoint = *configuration.server.entrypoint;
  if (entrypoint.is(EntrypointType::hostname)) return entrypoint.hostname;
  if (entrypoint.is(EntrypointType::port_forward)) return std::string("127.0.0.1");
  if (load_balancer_service != nullptr) {
    if (auto address = load_balancer_address(*load_balancer_service)) return *std::move(address);
  }
  return fail(
      Code::unavailable,
      fmt::format("the load-balancer service for proxy-server ingress is not yet provisioned: "
                  "Service {}/{} has no address in status.loadBalancer.ingress; see its events "
                  "for why the cloud gives none",
                  configuration.server.in_namespace, entrypoint.load_balancer_name));
}

Result<json::object> agent_values(const AgentInputs& inputs) {
  TRY(const auto in_namespace,
      agent_namespace(inputs.addon, inputs.deployment_config, inputs.options.install_namespace));
  TRY(const auto entrypoint,
      service_entrypoint(inputs.configuration, inputs.load_balancer_service));
  TRY(const auto image_values, images(inputs));
  TRY(const auto service_proxy_values, service_proxy(inputs));
  TRY(const auto local_values, local_cluster(inputs));
  TRY(const auto config_values, deployment_config_values(inputs));
  json::object values = configured(inputs);
  merge(values, {{"serviceEntryPoint", entrypoint},
                 {"spokeAddonNamespace", in_namespace},
                 {"agentIdentifiers", identifiers(inputs, in_namespace)}});
  for (const auto* over : {&image_values, &service_proxy_values, &local_values, &config_values}) {
    merge(values, *over);
  }
  merge(values, built_in(inputs, in_namespace));
  return values;
}

}  // namespace addon
