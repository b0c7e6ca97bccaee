#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "addon/names.h"
#include "addon/proxy_configuration.h"
#include "kube/labels.h"

namespace addon {
namespace {

constexpr std::int64_t kLargestReplicas = 2147483647;  // int32 in the schema
constexpr std::int64_t kLargestPort = 65535;
constexpr std::size_t kLongestName = 253;

using Problems = std::vector<std::string>;

bool is_label_part(std::string_view text) {
  const auto inner = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (text.empty() || !inner(text.front()) || !inner(text.back())) return false;
  return std::ranges::all_of(text, [&](char c) { return inner(c) || c == '-'; });
}

/// The name of a Service or a Namespace.
bool is_dns_label(std::string_view text) { return text.size() <= 63 && is_label_part(text); }

/// The name of a Secret.
bool is_dns_subdomain(std::string_view text) {
  if (text.size() > kLongestName) return false;
  while (true) {
    const auto dot = text.find('.');
    if (!is_label_part(text.substr(0, dot))) return false;
    if (dot == text.npos) return true;
    text = text.substr(dot + 1);
  }
}

void check_text(std::string_view path, std::string_view text, Problems& problems) {
  if (text.empty()) problems.push_back(fmt::format("{}: missing; give one", path));
}

void check_replicas(std::string_view path, std::int64_t replicas, Problems& problems) {
  if (replicas >= 0 && replicas <= kLargestReplicas) return;
  problems.push_back(
      fmt::format("{}: {} is no number of replicas; give 0 or more", path, replicas));
}

void check_label(std::string_view path, std::string_view name, Problems& problems) {
  if (is_dns_label(name)) return;
  problems.push_back(
      fmt::format("{}: \"{}\" is no name of an object; give up to 63 of a-z, 0-9 and -, with no - "
                  "at either end",
                  path, name));
}

void check_secret(std::string_view path, std::string_view name, Problems& problems) {
  if (is_dns_subdomain(name)) return;
  problems.push_back(
      name.empty()
          ? fmt::format("{}: missing; give a name, or an empty object "
                        "spec.authentication.dump.secrets for the defaults",
                        path)
          : fmt::format("{}: \"{}\" is no name of a Secret; give up to 253 of a-z, 0-9, - and .",
                        path, name));
}

void check_secrets(const ProxyConfiguration& configuration, Problems& problems) {
  constexpr std::string_view kPath = "spec.authentication.dump.secrets";
  const auto& secrets = configuration.secrets;
  const std::array<std::pair<std::string_view, const std::string*>, 3> names = {{
      {"signingProxyServerSecretName", &secrets.proxy_server},
      {"signingProxyClientSecretName", &secrets.proxy_client},
      {"signingAgentServerSecretName", &secrets.agent_server},
  }};
  std::set<std::string_view> taken = {kProxyServerCaSecret, kSignerSecret, kUserServingSecret};
  for (const auto& [field, name] : names) {
    const auto path = fmt::format("{}.{}", kPath, field);
    check_secret(path, *name, problems);
    if (!name->empty() && !taken.insert(*name).second) {
      problems.push_back(fmt::format(
          "{}: Secret {} serves another purpose already; give another name", path, *name));
    }
  }
}

void check_annotations(const Entrypoint& entrypoint, Problems& problems) {
  std::set<std::string_view> keys;
  for (std::size_t i = 0; i < entrypoint.load_balancer_annotations.size(); ++i) {
    const std::string_view key = entrypoint.load_balancer_annotations[i].first;
    const auto path =
        fmt::format("spec.proxyServer.entrypoint.loadBalancerService.annotations[{}].key", i);
    if (!kube::is_label_key(key)) {
      problems.push_back(
          fmt::format("{}: \"{}\" is no annotation key; give [prefix/]name, where the name has up "
                      "to 63 letters, "
                      "digits, -, _ and .",
                      path, key));
    } else if (!keys.insert(key).second) {
      problems.push_back(fmt::format("{}: \"{}\" stands there twice; remove one", path, key));
    }
  }
}

void check_entrypoint_type(const Entrypoint& entrypoint, Problems& problems) {
  constexpr std::string_view kPath = "spec.proxyServer.entrypoint";
  if (!entrypoint.type) {
    problems.push_back(
        fmt::format("{}.type: \"{}\" is unknown; give Hostname, LoadBalancerService or PortForward",
                    kPath, entrypoint.type_text));
  } else if (entrypoint.is(EntrypointType::hostname) && entrypoint.hostname.empty()) {
    problems.push_back(fmt::format(
        "{}.hostname.value: missing; give the host name or IP address that agents reach the hub at",
        kPath));
  } else if (entrypoint.is(EntrypointType::load_balancer_service)) {
    if (!entrypoint.has_load_balancer) {
      problems.push_back(fmt::format(
          "{0}.loadBalancerService: missing; give {{}} for a Service named proxy-agent-entrypoint",
          kPath));
      return;
    }
    check_label(fmt::format("{}.loadBalancerService.name", kPath), entrypoint.load_balancer_name,
                problems);
    check_annotations(entrypoint, problems);
  }
}

void check_entrypoint(const ProxyConfiguration& configuration, Problems& problems) {
  const auto& entrypoint = configuration.server.entrypoint;
  if (!entrypoint) {
    problems.emplace_back(
        "spec.proxyServer.entrypoint: missing; give one, so that agents know where to connect: "
        "{type: PortForward} needs nothing else");
    return;
  }
  check_entrypoint_type(*entrypoint, problems);
  if (entrypoint->port < 0 || entrypoint->port > kLargestPort) {
    problems.push_back(fmt::format("spec.proxyServer.entrypoint.port: {} is no port; give 1 to {}",
                                   entrypoint->port, kLargestPort));
  }
}

void check_server(const ProxyConfiguration& configuration, Problems& problems) {
  const auto& server = configuration.server;
  check_text("spec.proxyServer.image", server.image, problems);
  check_replicas("spec.proxyServer.replicas", server.replicas, problems);
  check_label("spec.proxyServer.inClusterServiceName", server.service_name, problems);
  check_label("spec.proxyServer.namespace", server.in_namespace, problems);
  check_entrypoint(configuration, problems);
  if (server.entrypoint && server.entrypoint->is(EntrypointType::load_balancer_service) &&
      server.entrypoint->load_balancer_name == server.service_name) {
    problems.push_back(fmt::format(
        "spec.proxyServer.entrypoint.loadBalancerService.name: {} is the in-cluster Service "
        "(spec.proxyServer.inClusterServiceName); give another name",
        server.service_name));
  }
}

}  // namespace

std::vector<std::string> validate(const ProxyConfiguration& configuration) {
  Problems problems;
  check_secrets(configuration, problems);
  check_server(configuration, problems);
  check_text("spec.proxyAgent.image", configuration.agent.image, problems);
  check_replicas("spec.proxyAgent.replicas", configuration.agent.replicas, problems);
  return problems;
}

}  // namespace addon
