#pragma once

#include <string>
#include <vector>

#include "addon/canonical_json.h"
#include "base/result.h"

namespace addon {

/// What a hub administrator demands of TLS for all parts (ConfigMap `ocm-tls-profile`).
struct TlsProfile {
  std::string minimum_version = "VersionTLS12";  // as the flag --tls-min-version takes it
  std::vector<std::string> cipher_suites;        // IANA names, in the order given; empty = defaults

  bool operator==(const TlsProfile&) const = default;
};

struct TlsProfileReading {
  TlsProfile profile;
  std::vector<std::string> warnings;  // cipher suites left out, or accepted although weak
};

/// Reads the ConfigMap; nullptr stands for one that does not exist. Fails when the version is
/// unknown or when no known cipher suite is left.
base::Result<TlsProfileReading> read_tls_profile(const json::object* config_map);

}  // namespace addon
