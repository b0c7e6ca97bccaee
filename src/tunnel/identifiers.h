#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tunnel {

/// What an agent says it can reach; the server matches destinations of dials against it. Values are
/// as given: neither validated nor normalised. On the wire it is a URL query string:
/// "host=n1&ipv4=10.0.0.4&default-route=true".
struct Identifiers {
  std::vector<std::string> ipv4;
  std::vector<std::string> ipv6;
  std::vector<std::string> host;
  std::vector<std::string> cidr;  // accepted and without effect, as in the reference
  bool default_route = false;  // only the first default-route value counts, in Go's boolean syntax

  bool operator==(const Identifiers&) const = default;
};

enum class UnknownKeys {
  refuse,  // agents: a typing error must not go unnoticed
  ignore,  // servers: newer agents may send more
};

/// Parses with the rules of Go's url.ParseQuery: '+' is a space, %XX is decoded, a bare ';' is an
/// error, empty parts are skipped. The order of values is kept.
base::Result<Identifiers> parse_identifiers(std::string_view query, UnknownKeys unknown);

}  // namespace tunnel
