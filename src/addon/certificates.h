#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "addon/proxy_configuration.h"

namespace addon {

enum class KeyUsage { server_auth, client_auth };

/// A certificate that must stand in a Secret of type kubernetes.io/tls, signed by our CA.
struct CertificateRequest {
  std::string in_namespace;
  std::string secret;
  KeyUsage usage = KeyUsage::server_auth;
  /// As configured, in order: DNS names and IP addresses mixed, without duplicates or empty ones.
  std::vector<std::string> names;

  /// The smallest name, bytewise.
  std::string common_name;
  /// DNS names sorted, then the IP addresses again as names: Go clients without SANs for addresses
  /// were served so, and the Go manager issues anew when the set differs.
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;  // sorted as text
};

/// proxy-server, agent-server, proxy-client, and user-serving when the configuration wants it, in
/// the order to issue them. `load_balancer_address` is "" while unknown or not used.
std::vector<CertificateRequest> wanted_certificates(const ProxyConfiguration& configuration,
                                                    std::string_view load_balancer_address);

/// The serving certificate of all service proxies.
CertificateRequest service_proxy_certificate(std::string in_namespace);

/// A request for these names; common_name and the SAN lists follow from them.
CertificateRequest certificate_request(std::string in_namespace, std::string secret, KeyUsage usage,
                                       std::vector<std::string> names);

}  // namespace addon
