#pragma once

#include <string>
#include <string_view>

#include "addon/tls_profile.h"
#include "base/result.h"

/// Names that are made by hashing. Both sides of a tunnel compute them, so they are a contract.
namespace addon {

/// The name under which the service proxy of a cluster is dialled through the tunnel:
/// "cluster-<48 hex digits>.open-cluster-management.proxy".
std::string service_proxy_host(std::string_view cluster);

/// A service of a cluster that is exposed by a ManagedProxyServiceResolver.
struct ExportedService {
  std::string cluster;
  std::string in_namespace;
  std::string service;
};
/// "cluster-proxy-<49 hex digits>".
std::string exported_service_host(const ExportedService& service);

/// Sixteen hex digits that change when the profile does.
std::string tls_config_hash(const TlsProfile& profile);

/// "signer-<88 hex digits>": part of the agents' identity, so that another CA makes them ask for
/// new certificates. `ca_pem` must begin with a certificate; whatever stands beside it does not
/// count.
base::Result<std::string> signer_organizational_unit(std::string_view ca_pem);

}  // namespace addon
