#include "addon/proxy_configuration.h"

#include "addon/names.h"
#include "addon/object.h"

namespace addon {
namespace {

/// Text of a member; `otherwise` when the member is absent, as a schema's default works.
std::string text_or(const json::object& parent, std::string_view name, std::string_view otherwise) {
  return std::string(has(parent, name) ? text_at(parent, name) : otherwise);
}

std::int64_t integer_or(const json::object& parent, std::string_view name, std::int64_t otherwise) {
  return integer_at(parent, name).value_or(otherwise);
}

std::optional<EntrypointType> type_of(std::string_view text) {
  if (text == "Hostname") return EntrypointType::hostname;
  if (text == "LoadBalancerService") return EntrypointType::load_balancer_service;
  if (text == "PortForward") return EntrypointType::port_forward;
  return std::nullopt;
}

void read_load_balancer(const json::object& service, Entrypoint& entrypoint) {
  entrypoint.has_load_balancer = true;
  entrypoint.load_balancer_name = text_or(service, "name", "proxy-agent-entrypoint");
  for (const auto& each : array_at(service, "annotations")) {
    const auto* annotation = each.if_object();
    if (annotation == nullptr) continue;
    entrypoint.load_balancer_annotations.emplace_back(text_at(*annotation, "key"),
                                                      text_at(*annotation, "value"));
  }
}

Entrypoint read_entrypoint(const json::object& object) {
  Entrypoint entrypoint;
  entrypoint.type_text = text_at(object, "type");
  entrypoint.type = type_of(entrypoint.type_text);
  entrypoint.hostname = text_at(object_at(object, "hostname"), "value");
  if (has(object, "loadBalancerService")) {
    read_load_balancer(object_at(object, "loadBalancerService"), entrypoint);
  }
  entrypoint.port = integer_or(object, "port", kAgentPort);
  return entrypoint;
}

void read_authentication(const json::object& authentication, ProxyConfiguration& configuration) {
  configuration.additional_sans =
      texts_at(object_at(object_at(authentication, "signer"), "selfSigned"), "additionalSANs");
  const auto& dump = object_at(authentication, "dump");
  if (!has(dump, "secrets")) return;
  const auto& secrets = object_at(dump, "secrets");
  configuration.secrets = {
      .proxy_server = text_or(secrets, "signingProxyServerSecretName", "proxy-server"),
      .proxy_client = text_or(secrets, "signingProxyClientSecretName", "proxy-client"),
      .agent_server = text_or(secrets, "signingAgentServerSecretName", "agent-server")};
}

void read_server(const json::object& object, ProxyConfiguration::Server& server) {
  server.image = text_at(object, "image");
  server.replicas = integer_or(object, "replicas", 3);
  server.service_name = text_or(object, "inClusterServiceName", "proxy-entrypoint");
  server.in_namespace = text_or(object, "namespace", kDefaultAgentNamespace);
  if (has(object, "entrypoint"))
    server.entrypoint = read_entrypoint(object_at(object, "entrypoint"));
  server.additional_args = texts_at(object, "additionalArgs");
  const auto& placement = object_at(object, "nodePlacement");
  server.node_selector = object_at(placement, "nodeSelector");
  server.tolerations = array_at(placement, "tolerations");
}

void read_agent(const json::object& object, ProxyConfiguration::Agent& agent) {
  agent.image = text_at(object, "image");
  agent.replicas = integer_or(object, "replicas", 3);
  agent.additional_args = texts_at(object, "additionalArgs");
  agent.additional_service_proxy_args = texts_at(object, "additionalServiceProxyArgs");
  agent.image_pull_secrets = texts_at(object, "imagePullSecrets");
  agent.service_ca_config_map = text_at(object, "additionalServiceCAConfigMap");
}

}  // namespace

ProxyConfiguration read_proxy_configuration(const json::object& object) {
  ProxyConfiguration configuration;
  configuration.name = name_of(object);
  configuration.uid = uid_of(object);
  configuration.generation = integer_or(object_at(object, "metadata"), "generation", 0);
  const auto& spec = object_at(object, "spec");
  read_authentication(object_at(spec, "authentication"), configuration);
  read_server(object_at(spec, "proxyServer"), configuration.server);
  read_agent(object_at(spec, "proxyAgent"), configuration.agent);
  if (has(spec, "userServer")) {
    configuration.user_server.emplace().additional_sans =
        texts_at(object_at(spec, "userServer"), "additionalSANs");
  }
  return configuration;
}

std::int64_t entrypoint_port(const ProxyConfiguration& configuration) {
  const auto& entrypoint = configuration.server.entrypoint;
  return entrypoint && entrypoint->port != 0 ? entrypoint->port : kAgentPort;
}

json::object owner_reference(const ProxyConfiguration& configuration) {
  return {{"apiVersion", kProxyApiVersion},
          {"kind", kConfigurationKind},
          {"name", configuration.name},
          {"uid", configuration.uid},
          {"blockOwnerDeletion", true}};
}

}  // namespace addon
