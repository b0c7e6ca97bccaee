#include "tunnel/agent/server_route.h"

#include <algorithm>
#include <utility>

#include "async/timeout.h"
#include "base/log.h"
#include "http/connector.h"
#include "net/dial.h"
#include "net/resolver.h"

namespace tunnel {
namespace {

using async::Task;
using base::fail;
using base::Result;
using Endpoints = std::vector<async::asio::ip::tcp::endpoint>;

constexpr async::Duration kLookupLimit = std::chrono::seconds(10);

void add(std::vector<ServerRoute>& routes, ServerRoute route) {
  if (std::ranges::find(routes, route) == routes.end()) routes.push_back(std::move(route));
}

Task<Endpoints> look_up(async::Clock& clock, net::HostPort server) {
  co_return co_await async::with_timeout(clock, kLookupLimit, "lookup " + server.host,
                                         net::resolve(server));
}

Task<std::unique_ptr<net::Stream>> dial(async::Clock& clock, std::string address,
                                        async::Duration limit) {
  CO_TRY(auto socket,
         co_await net::dial_tcp(clock, std::move(address), limit, net::Liveness::link()));
  net::keep_queue_short(socket);
  co_return net::make_socket_stream(std::move(socket));
}

Task<std::unique_ptr<net::Stream>> dial_through(async::Clock& clock, http::Url proxy,
                                                std::string server, async::Duration limit) {
  CO_TRY(auto stream, co_await dial(clock, proxy.origin.address(), limit));
  CO_TRY_VOID(co_await async::with_timeout(
      clock, limit, "CONNECT " + server,
      http::connect_through(*stream, server, std::move(proxy.user_info))));
  co_return stream;
}

}  // namespace

Task<std::vector<ServerRoute>> find_routes(async::Clock& clock, std::vector<net::HostPort> servers,
                                           const net::ProxyEnvironment& environment) {
  std::vector<ServerRoute> routes;
  base::Error last_error;
  for (const net::HostPort& server : servers) {
    const std::string name = net::join_host_port(server.host, server.port);
    if (auto proxy = environment.proxy_for(server); !proxy.empty()) {
      add(routes, {name, name, std::move(proxy)});
      continue;
    }
    const auto endpoints = co_await look_up(clock, server);
    if (!endpoints) {
      last_error = endpoints.error();
      LOG_DEBUG("name of a server cannot be resolved", {"server", name}, {"error", last_error});
      continue;
    }
    for (const auto& endpoint : *endpoints) {
      add(routes, {net::join_host_port(endpoint.address().to_string(), endpoint.port()), name, ""});
    }
  }
  if (routes.empty()) co_return fail(std::move(last_error));
  co_return routes;
}

Task<std::unique_ptr<net::Stream>> connect(async::Clock& clock, ServerRoute route,
                                           async::Duration limit) {
  if (route.proxy.empty()) co_return co_await dial(clock, route.address, limit);
  auto proxy = http::parse_url(route.proxy);
  if (!proxy)
    co_return fail(std::move(proxy).error().within("HTTPS_PROXY (only http:// proxies are known)"));
  const std::string name = "proxy " + proxy->origin.address();
  auto stream = co_await dial_through(clock, *std::move(proxy), route.address, limit);
  if (!stream) co_return fail(std::move(stream).error().within(name));
  co_return stream;
}

}  // namespace tunnel
