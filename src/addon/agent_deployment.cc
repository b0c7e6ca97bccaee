#include "addon/agent_deployment.h"

#include <fmt/format.h>

#include "addon/deployment_config.h"
#include "addon/health_port.h"
#include "addon/image.h"
#include "addon/manifest.h"
#include "addon/names.h"
#include "addon/object.h"
#include "addon/service_proxy_args.h"

namespace addon {
namespace {

using base::Result;

/// The last entry that covers the container.
json::object resources_of(const json::object& values, std::string_view container) {
  const auto id =
      fmt::format("deployments:{}:{}", text_at(values, "agentDeploymentName"), container);
  json::object resources;
  for (const auto& each : array_at(object_at(values, "global"), "resourceRequirements")) {
    if (!each.is_object()) continue;
    const auto& entry = each.get_object();
    if (covers(text_at(entry, "containerID"), id)) resources = object_at(entry, "resources");
  }
  return resources;
}

json::object container(std::string_view manifest_name, const json::object& values,
                       json::object variables) {
  variables["security"] = manifest("agent/container_security", {});
  auto made = manifest(manifest_name, variables);
  made["resources"] = resources_of(values, text_at(made, "name"));
  return made;
}

/// A value that may be text or a number.
std::string printed(const json::object& values, std::string_view name) {
  const auto number = integer_at(values, name);
  return number ? std::to_string(*number) : std::string(text_at(values, name));
}

/// Our difference from the reference's container. No probe when the arguments hide its port.
void add_readiness(json::object& container, const std::vector<std::string>& args) {
  const auto port = health_port(args, {.address = "health-server-host",
                                       .port = "health-server-port",
                                       .usual_port = kAgentHealthPort});
  if (!port) return;
  for (auto& member : manifest("agent/readiness", {{"healthPort", *port}})) {
    container[member.key()] = member.value();
  }
}

json::object proxy_agent(const json::object& values) {
  std::vector<std::string> args = {
      fmt::format("--proxy-server-host={}", text_at(values, "serviceEntryPoint")),
      fmt::format("--proxy-server-port={}", printed(values, "serviceEntryPointPort")),
      fmt::format("--agent-identifiers={}", text_at(values, "agentIdentifiers")),
      "--ca-cert=/etc/ca/ca.crt",
      "--agent-cert=/etc/tls/tls.crt",
      "--agent-key=/etc/tls/tls.key"};
  for (auto& arg : texts_at(values, "additionalProxyAgentArgs")) args.push_back(std::move(arg));
  json::array environment;
  for (const auto* name : {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}) {
    const auto value = text_at(object_at(values, "proxyConfig"), name);
    if (!value.empty()) environment.push_back({{"name", name}, {"value", value}});
  }
  environment.push_back({{"name", "ROOT_CA_CERT"}, {"value", "/etc/ca/ca.crt"}});
  auto made = container("agent/proxy_agent_container", values,
                        {{"image", text_at(values, "proxyAgentImage")},
                         {"args", texts(args)},
                         {"env", std::move(environment)}});
  add_readiness(made, args);
  return made;
}

std::string addon_image(const json::object& values) {
  return ImageReference{.registry = std::string(text_at(values, "registry")),
                        .image = std::string(text_at(values, "image")),
                        .tag = std::string(text_at(values, "tag"))}
      .text();
}

json::object addon_agent(const json::object& values) {
  std::vector<std::string> args = {"--v=2"};
  for (auto& arg : texts_at(values, "addonAgentArgs")) args.push_back(std::move(arg));
  return container("agent/addon_agent_container", values,
                   {{"image", addon_image(values)}, {"args", texts(args)}});
}

bool has_service_ca(const json::object& values) {
  return is_truthy(values, "enableServiceProxy") &&
         is_truthy(values, "additionalServiceCAConfigMap");
}

Result<json::object> service_proxy(const json::object& values) {
  TRY(const auto args, service_proxy_args(values));
  const json::object mount = {{"name", "additional-service-ca"},
                              {"mountPath", "/additional-service-ca"},
                              {"readOnly", true}};
  return container(
      "agent/service_proxy_container", values,
      {{"image", addon_image(values)},
       {"args", texts(args)},
       {"serviceCaMount", has_service_ca(values) ? json::value(mount) : json::value()}});
}

json::object secret_volume(std::string_view name, std::string_view secret) {
  return {{"name", name}, {"secret", {{"secretName", secret}}}};
}

json::array volumes(const json::object& values) {
  json::array list = {secret_volume("ca", "cluster-proxy-ca"),
                      secret_volume("hub", kAgentCertificateSecret),
                      secret_volume("hub-kubeconfig", "cluster-proxy-hub-kubeconfig")};
  if (has_service_ca(values)) {
    list.push_back(
        {{"name", "additional-service-ca"},
         {"configMap",
          {{"name", text_at(values, "additionalServiceCAConfigMap")}, {"optional", true}}}});
  }
  if (is_truthy(values, "enableServiceProxy")) {
    list.push_back(secret_volume("service-proxy-server-cert",
                                 "cluster-proxy-service-proxy-server-certificates"));
  }
  return list;
}

json::value host_aliases(const json::object& values) {
  const auto host = text_at(values, "serviceProxyHost");
  if (host.empty()) return nullptr;
  const json::object alias = {{"ip", "127.0.0.1"}, {"hostnames", json::array{host}}};
  return json::array{alias};
}

json::value pull_secrets(const json::object& values) {
  json::array secrets;
  for (const auto& name : texts_at(values, "proxyAgentImagePullSecrets")) {
    secrets.push_back({{"name", name}});
  }
  return unless_empty(std::move(secrets));
}

json::value value_at(const json::object& values, std::string_view name) {
  const auto* value = values.if_contains(json::string_view(name.data(), name.size()));
  return value != nullptr ? unless_empty(*value) : json::value();
}

}  // namespace

Result<json::object> agent_deployment(const json::object& values, std::int64_t replicas) {
  json::array containers = {proxy_agent(values), addon_agent(values)};
  if (is_truthy(values, "enableServiceProxy")) {
    TRY(auto third, service_proxy(values));
    containers.push_back(std::move(third));
  }
  const auto& annotations = object_at(values, "agentDeploymentAnnotations");
  json::object pod_annotations = annotations;
  pod_annotations["target.workload.openshift.io/management"] =
      R"({"effect": "PreferredDuringScheduling"})";
  return manifest("agent/deployment", {{"name", text_at(values, "agentDeploymentName")},
                                       {"namespace", text_at(values, "addonInstallNamespace")},
                                       {"annotations", annotations},
                                       {"podAnnotations", std::move(pod_annotations)},
                                       {"replicas", replicas},
                                       {"hostAliases", host_aliases(values)},
                                       {"nodeSelector", value_at(values, "nodeSelector")},
                                       {"tolerations", value_at(values, "tolerations")},
                                       {"imagePullSecrets", pull_secrets(values)},
                                       {"containers", std::move(containers)},
                                       {"volumes", volumes(values)}});
}

}  // namespace addon
