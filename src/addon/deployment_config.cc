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

/// Which beginnings of `text`, by length, what has been read of the pattern fits.
using Fits = std::vector<bool>;

Fits next(const Fits& fits, char pattern, std::string_view text) {
  Fits result(fits.size(), false);
  bool any_shorter = false;
  for (std::size_t length = 1; length < fits.size(); ++length) {
    any_shorter = any_shorter || fits[length - 1];
    result[length] = pattern == '*' ? any_shorter : fits[length - 1] && text[length - 1] == pattern;
  }
  return result;
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
  Fits fits(container.size() + 1, false);
  fits.front() = true;
  for (const char pattern : container_id) fits = next(fits, pattern, container);
  return fits.back();
}

}  // namespace addon
