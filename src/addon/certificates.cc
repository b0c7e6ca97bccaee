#include "addon/certificates.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "addon/names.h"

namespace addon {
namespace {

/// An address in the form that Go prints it; nothing for a name.
std::optional<std::string> ip_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> printed{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return text;
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
  inet_ntop(AF_INET6, bytes.data(), printed.data(), printed.size());
  const std::string canonical = printed.data();
  constexpr std::string_view kMapped = "::ffff:";
  const bool mapped = canonical.starts_with(kMapped) && canonical.contains('.');
  return mapped ? canonical.substr(kMapped.size()) : canonical;
}

/// What clients on the hub and agents may call the proxy servers.
std::vector<std::string> server_names(const ProxyConfiguration& configuration,
                                      std::string_view load_balancer_address) {
  const auto& server = configuration.server;
  auto names = configuration.additional_sans;
  names.insert(names.end(), {"127.0.0.1", "localhost"});
  names.push_back(fmt::format("{}.{}", server.service_name, server.in_namespace));
  names.push_back(fmt::format("{}.{}.svc", server.service_name, server.in_namespace));
  if (server.entrypoint && server.entrypoint->is(EntrypointType::hostname)) {
    names.push_back(server.entrypoint->hostname);
  }
  names.emplace_back(load_balancer_address);
  return names;
}

std::vector<std::string> user_server_names(const ProxyConfiguration& configuration) {
  const auto& in_namespace = configuration.server.in_namespace;
  std::vector<std::string> names = {"127.0.0.1", "localhost", std::string(kUserServer)};
  for (const auto* suffix : {"", ".svc", ".svc.cluster.local"}) {
    names.push_back(fmt::format("{}.{}{}", kUserServer, in_namespace, suffix));
  }
  std::ranges::copy(configuration.user_server->additional_sans, std::back_inserter(names));
  return names;
}

void drop_repeated(std::vector<std::string>& names) {
  std::set<std::string> seen = {""};
  std::erase_if(names, [&](const std::string& name) { return !seen.insert(name).second; });
}

}  // namespace

CertificateRequest certificate_request(std::string in_namespace, std::string secret, KeyUsage usage,
                                       std::vector<std::string> names) {
  drop_repeated(names);
  CertificateRequest request{.in_namespace = std::move(in_namespace),
                             .secret = std::move(secret),
                             .usage = usage,
                             .names = names};
  std::ranges::sort(names);
  if (!names.empty()) request.common_name = names.front();
  for (const auto& name : names) {
    const auto address = ip_address(name);
    (address ? request.ip_addresses : request.dns_names).push_back(address.value_or(name));
  }
  std::ranges::copy(request.ip_addresses, std::back_inserter(request.dns_names));
  return request;
}

std::vector<CertificateRequest> wanted_certificates(const ProxyConfiguration& configuration,
                                                    std::string_view load_balancer_address) {
  const auto& in_namespace = configuration.server.in_namespace;
  const auto names = server_names(configuration, load_balancer_address);
  const auto& secrets = configuration.secrets;
  std::vector<CertificateRequest> wanted = {
      certificate_request(in_namespace, secrets.proxy_server, KeyUsage::server_auth, names),
      certificate_request(in_namespace, secrets.agent_server, KeyUsage::server_auth, names),
      certificate_request(in_namespace, secrets.proxy_client, KeyUsage::client_auth, names)};
  if (configuration.user_server) {
    wanted.push_back(certificate_request(in_namespace, std::string(kUserServingSecret),
                                         KeyUsage::server_auth, user_server_names(configuration)));
  }
  return wanted;
}

CertificateRequest service_proxy_certificate(std::string in_namespace) {
  return certificate_request(std::move(in_namespace), std::string(kServiceProxySecret),
                             KeyUsage::server_auth,
                             {"*", "localhost", "127.0.0.1", "*.open-cluster-management.proxy"});
}

}  // namespace addon
