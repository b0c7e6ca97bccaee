#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace net {

/// A host (name, IPv4 or IPv6 without brackets) and a port.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
};

/// Splits "host:port", "[ipv6]:port" as Go's net.SplitHostPort and net.Dial do; the port is a
/// number or a service name that Go knows without a system file (http, https, domain, ssh ...).
/// Texts of errors are Go's: "address X: missing port in address", "address X: too many colons in
/// address".
base::Result<HostPort> parse_host_port(std::string_view address);

/// "host:port" with brackets around a host that has a colon.
std::string join_host_port(std::string_view host, std::uint16_t port);

/// True for a textual IPv4 or IPv6 address (a zone is allowed).
bool is_ip_address(std::string_view host);

}  // namespace net
