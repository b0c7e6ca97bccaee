#pragma once

#include <string>
#include <vector>

#include "base/result.h"

/// Whom a certificate names, as values.
namespace pki {

/// A subject or issuer. RDNs with several values are flattened, in order.
struct DistinguishedName {
  std::string common_name;  // the last one, as Go has it
  std::vector<std::string> organizations;
  std::vector<std::string> organizational_units;
  std::string text;  // all of it: "CN=x,OU=y,O=z" (RFC 2253, UTF-8)

  bool operator==(const DistinguishedName&) const = default;
};

struct AltNames {
  std::vector<std::string> dns;
  std::vector<std::string> ips;  // in their canonical text
  std::vector<std::string> emails;
  std::vector<std::string> uris;

  bool empty() const { return dns.empty() && ips.empty() && emails.empty() && uris.empty(); }
  bool operator==(const AltNames&) const = default;
};

enum class ExtendedKeyUsage { server_auth, client_auth, other };

/// The alternative names of a server known by `hosts` (names and addresses): first the names, then
/// the addresses once more as DNS names, for clients that look nowhere else; in order of the bytes
/// of `hosts`, each once. Fails with Code::invalid when there is none or one is empty.
base::Result<AltNames> alt_names_of_hosts(std::vector<std::string> hosts);

/// The canonical text of an IPv4 or IPv6 address ("::ffff:10.0.0.1" is "10.0.0.1"), or "" when
/// `text` is none. Addresses with a zone are none.
std::string canonical_ip(const std::string& text);

}  // namespace pki
