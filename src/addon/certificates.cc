#include "addon/certificates.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "addon/names.h"

namespace addon {
namespace {

using pki::ExtendedKeyUsage;

/// What clients on the hub and agents may call the proxy servers.
std::vector<std::string> server_hosts(const ProxyConfiguration& configuration,
                                      std::string_view load_balancer_address) {
  const auto& server = configuration.server;
  auto hosts = configuration.additional_sans;
  hosts.insert(hosts.end(), {"127.0.0.1", "localhost"});
  hosts.push_back(fmt::format("{}.{}", server.service_name, server.in_namespace));
  hosts.push_back(fmt::format("{}.{}.svc", server.service_name, server.in_namespace));
  if (server.entrypoint && server.entrypoint->is(EntrypointType::hostname)) {
    hosts.push_back(server.entrypoint->hostname);
  }
  hosts.emplace_back(load_balancer_address);
  return hosts;
}

std::vector<std::string> user_server_hosts(const ProxyConfiguration& configuration) {
  const auto& in_namespace = configuration.server.in_namespace;
  std::vector<std::string> hosts = {"127.0.0.1", "localhost", std::string(kUserServer)};
  for (const auto* suffix : {"", ".svc", ".svc.cluster.local"}) {
    hosts.push_back(fmt::format("{}.{}{}", kUserServer, in_namespace, suffix));
  }
  std::ranges::copy(configuration.user_server->additional_sans, std::back_inserter(hosts));
  return hosts;
}

pki::LeafRequest leaf(ExtendedKeyUsage usage, std::vector<std::string> hosts) {
  std::set<std::string> seen = {""};
  std::erase_if(hosts, [&](const std::string& host) { return !seen.insert(host).second; });
  return {.hosts = std::move(hosts), .usages = {usage}};
}

}  // namespace

std::vector<CertificateRequest> wanted_certificates(const ProxyConfiguration& configuration,
                                                    std::string_view load_balancer_address) {
  const auto& in_namespace = configuration.server.in_namespace;
  const auto& secrets = configuration.secrets;
  const auto hosts = server_hosts(configuration, load_balancer_address);
  std::vector<CertificateRequest> wanted = {
      {in_namespace, secrets.proxy_server, leaf(ExtendedKeyUsage::server_auth, hosts)},
      {in_namespace, secrets.agent_server, leaf(ExtendedKeyUsage::server_auth, hosts)},
      {in_namespace, secrets.proxy_client, leaf(ExtendedKeyUsage::client_auth, hosts)}};
  if (configuration.user_server) {
    wanted.push_back({in_namespace, std::string(kUserServingSecret),
                      leaf(ExtendedKeyUsage::server_auth, user_server_hosts(configuration))});
  }
  return wanted;
}

CertificateRequest service_proxy_certificate(std::string in_namespace) {
  return {std::move(in_namespace), std::string(kServiceProxySecret),
          leaf(ExtendedKeyUsage::server_auth,
               {"*", "localhost", "127.0.0.1", "*.open-cluster-management.proxy"})};
}

}  // namespace addon
