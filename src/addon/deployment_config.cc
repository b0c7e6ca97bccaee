#include "addon/deployment_config.h"

#include <algorithm>

#include <fmt/format.h>

#include "addon/object.h"
#include "http/base64.h"

namespace addon {
namespace {

using base::Code;

template <typename Visit>
void each_object(const json::array& list, Visit visit) {
  for (const auto& element : list) {
    if (const auto* object = element.if_object()) visit(*object);
  }
}

base::Result<DeploymentConfig::Proxy> read_proxy(const json::object& object) {
  DeploymentConfig::Proxy proxy{.http_proxy = std::string(text_at(object, "httpProxy")),
                                .https_proxy = std::string(text_at(object, "httpsProxy")),
                                .no_proxy = std::string(text_at(object, "noProxy")),
                                .ca_bundle = {}};
  auto bundle = http::base64_decode(text_at(object, "caBundle"));
  if (!bundle) {
    return base::fail(Code::invalid,
                      "spec.proxyConfig.caBundle: not base64; give the PEM bundle in base64");
  }
  proxy.ca_bundle = *std::move(bundle);
  return proxy;
}

base::Result<void> check_container_id(std::string_view id) {
  if (std::ranges::count(id, ':') == 2) return {};
  return base::fail(
      Code::invalid,
      fmt::format("spec.resourceRequirements: containerID \"{}\" has not three parts; give "
                  "<kind plural>:<name>:<container>, where * stands for any",
                  id));
}

/// The text before the first ":", taken off the front.
std::string_view take_part(std::string_view& id) {
  const auto colon = id.find(':');
  const auto part = id.substr(0, colon);
  id = colon == id.npos ? std::string_view() : id.substr(colon + 1);
  return part;
}

}  // namespace

base::Result<DeploymentConfig> read_deployment_config(const json::object& object) {
  const auto& spec = object_at(object, "spec");
  DeploymentConfig config;
  each_object(array_at(spec, "customizedVariables"), [&](const json::object& variable) {
    config.variables.emplace_back(text_at(variable, "name"), text_at(variable, "value"));
  });
  if (has(spec, "nodePlacement")) {
    const auto& placement = object_at(spec, "nodePlacement");
    config.node_placement = {.node_selector = object_at(placement, "nodeSelector"),
                             .tolerations = array_at(placement, "tolerations")};
  }
  if (has(spec, "proxyConfig")) {
    TRY(config.proxy, read_proxy(object_at(spec, "proxyConfig")));
  }
  each_object(array_at(spec, "resourceRequirements"), [&](const json::object& entry) {
    config.resources.push_back({.container_id = std::string(text_at(entry, "containerID")),
                                .resources = object_at(entry, "resources")});
  });
  for (const auto& entry : config.resources) TRY_VOID(check_container_id(entry.container_id));
  config.install_namespace = text_at(spec, "agentInstallNamespace");
  return config;
}

bool covers(std::string_view container_id, std::string_view container) {
  for (int part = 0; part < 3; ++part) {
    const auto wanted = take_part(container_id);
    if (take_part(container) != wanted && wanted != "*") return false;
  }
  return true;
}

}  // namespace addon
