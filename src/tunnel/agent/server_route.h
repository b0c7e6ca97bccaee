#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/clock.h"
#include "net/address.h"
#include "net/proxy_environment.h"
#include "net/stream.h"

namespace tunnel {

/// One way to a server: an address of one of its names, or the name through an HTTP proxy.
struct ServerRoute {
  std::string address;    // what to dial, or to ask the proxy for: "10.0.0.1:8091"
  std::string authority;  // the server as it was named: "hub.example:8091"
  std::string proxy;      // URL; empty = directly

  bool operator==(const ServerRoute&) const = default;
};

/// All ways to the servers named, in their order. Names that cannot be resolved are left out and
/// logged; it is an error when no way is left.
async::Task<std::vector<ServerRoute>> find_routes(async::Clock& clock,
                                                  std::vector<net::HostPort> servers,
                                                  const net::ProxyEnvironment& environment);

/// Connects along `route`. TLS is the caller's. Takes at most `limit`, twice with a proxy.
async::Task<std::unique_ptr<net::Stream>> connect(async::Clock& clock, ServerRoute route,
                                                  async::Duration limit);

}  // namespace tunnel
