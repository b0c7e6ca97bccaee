#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "addon/proxy_configuration.h"
#include "pki/certificate_authority.h"

namespace addon {

/// A certificate that must stand in a Secret of type kubernetes.io/tls, signed by our CA.
struct CertificateRequest {
  std::string in_namespace;
  std::string secret;
  pki::LeafRequest leaf;  // hosts as configured, in order, none empty and none twice
};

/// proxy-server, agent-server, proxy-client, and user-serving when the configuration wants it, in
/// the order to issue them. `load_balancer_address` is "" while unknown or not used.
std::vector<CertificateRequest> wanted_certificates(const ProxyConfiguration& configuration,
                                                    std::string_view load_balancer_address);

/// The serving certificate of all service proxies.
CertificateRequest service_proxy_certificate(std::string in_namespace);

}  // namespace addon
