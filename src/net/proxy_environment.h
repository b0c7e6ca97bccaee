#pragma once

#include <string>
#include <string_view>

#include "net/address.h"

namespace net {

/// The environment's word on which HTTP proxy leads to a server, read as Go's programs read it
/// (golang.org/x/net/http/httpproxy): HTTPS_PROXY or https_proxy, except for what NO_PROXY or
/// no_proxy names.
struct ProxyEnvironment {
  std::string https_proxy;
  std::string
      no_proxy;  // comma-separated: "*", names, ".names", addresses, CIDRs, each with ":port"

  static ProxyEnvironment from_process();

  /// The URL of the proxy for TLS connections to `target`, or "" when they go directly. Always
  /// directly: localhost and loopback addresses. A value without scheme is taken as http://.
  std::string proxy_for(const HostPort& target) const;
};

}  // namespace net
