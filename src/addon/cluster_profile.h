#pragma once

#include <string>

#include "addon/canonical_json.h"
#include "base/result.h"

namespace addon {

/// Whether a ClusterProfile is one of OCM's, for a cluster.
bool is_ours(const json::object& profile);

struct AccessProvider {
  std::string proxy_namespace;  // spec.proxyServer.namespace of the configuration
  std::string ca_base64;        // tls.crt of the user-serving Secret, as it stands there
};
/// The profile's status with our access provider in it, others untouched; no conditions become an
/// empty list.
json::object with_access_provider(const json::object& profile, const AccessProvider& provider);

}  // namespace addon
