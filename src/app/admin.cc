#include "app/admin.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "app/profiling.h"
#include "base/log.h"
#include "net/listener.h"

namespace app {
namespace {

using http::Routes;
using http::ServerRequest;
using http::ServerResponse;

void add_healthz(Routes& routes) {
  routes.get("/healthz", [](const ServerRequest&) { return ServerResponse{.body = "ok"}; });
}

void add_metrics(Routes& routes, const metrics::Registry& registry) {
  routes.get("/metrics", [&registry](const ServerRequest&) {
    return ServerResponse{.body = registry.expose(),
                          .content_type = std::string(metrics::Registry::kContentType)};
  });
}

/// The agent's answer: one line for each check, as Kubernetes' components give it.
ServerResponse agent_readiness(const ServerRequest& request, bool connected) {
  if (!connected) {
    return {.status = 503,
            .body = "[+]ping ok\n[-]server-connected failed: no servers connected\n"};
  }
  const bool verbose = request.has_parameter("verbose");
  return {.body = verbose ? "[+]ping ok\n[+]server-connected ok\ncheck passed\n" : "ok"};
}

async::Task<ServerResponse> await_readiness(ServerRequest request, ReadyCheck ready,
                                            async::Clock& clock) {
  constexpr async::Duration kLook = std::chrono::milliseconds(20);
  const auto until = clock.now() + std::chrono::milliseconds(800);
  while (request.has_parameter("wait") && !ready() && clock.now() < until)
    CO_TRY_VOID(co_await clock.sleep_for(kLook));
  co_return agent_readiness(request, ready());
}

/// /status?connections=N
std::size_t wanted_connections(const ServerRequest& request) {
  constexpr std::size_t kMost = 10'000;
  const std::string text = request.parameter("connections");
  std::size_t wanted = 0;
  std::from_chars(text.data(), text.data() + text.size(), wanted);
  return std::min(wanted, kMost);
}

async::Task<ServerResponse> answer_status(StatusSource status, std::size_t connections) {
  CO_TRY(std::string body, co_await status(connections));
  co_return ServerResponse{.body = std::move(body), .content_type = "application/json"};
}

/// The host of a Host field without its port: "a", "[::1]".
std::string_view host_only(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  const bool has_port = colon != host.npos && (bracket == host.npos || colon > bracket);
  return has_port ? host.substr(0, colon) : host;
}

}  // namespace

Routes metrics_routes(const metrics::Registry& registry) {
  Routes routes;
  add_metrics(routes, registry);
  return routes;
}

Routes server_health_routes(const metrics::Registry& registry, ReadyCheck ready) {
  Routes routes;
  add_healthz(routes);
  for (const char* path : {"/readyz", "/ready"}) {
    routes.get(path, [ready](const ServerRequest&) {
      if (ready()) return ServerResponse{.body = "ok"};
      return ServerResponse{.status = 500, .body = "no connection to any proxy agent"};
    });
  }
  add_metrics(routes, registry);
  return routes;
}

Routes server_admin_routes(const metrics::Registry& registry, const ProfilingConfig& profiling,
                           StatusSource status) {
  Routes routes;
  add_metrics(routes, registry);
  routes.get_slowly("/status", [status = std::move(status)](const ServerRequest& request) {
    return answer_status(status, wanted_connections(request));
  });
  if (profiling.enabled) add_profiling(routes);
  return routes;
}

Routes agent_health_routes(const metrics::Registry& registry, async::Clock& clock,
                           ReadyCheck ready) {
  Routes routes;
  add_healthz(routes);
  for (const char* path : {"/readyz", "/ready"}) {
    routes.get_slowly(path, [ready, &clock](ServerRequest request) {
      return await_readiness(std::move(request), ready, clock);
    });
  }
  add_metrics(routes, registry);
  return routes;
}

Routes agent_admin_routes(std::uint16_t health_port, const ProfilingConfig& profiling) {
  Routes routes;
  routes.get("/metrics", [health_port](const ServerRequest& request) {
    const std::string query = request.query.empty() ? "" : "?" + request.query;
    return http::redirect_response(
        fmt::format("//{}:{}/metrics{}", host_only(request.host), health_port, query));
  });
  if (profiling.enabled) add_profiling(routes);
  return routes;
}

std::unique_ptr<http::Server> serve_http(async::Loop& loop, async::Clock& clock,
                                         const ListenAddress& address, http::Routes routes,
                                         std::string_view what) {
  auto listener = net::listen_tcp(loop, clock, address.host, address.port);
  if (!listener) {
    LOG_ERROR("HTTP port not served", {"port", what}, {"error", listener.error()});
    return nullptr;
  }
  auto server =
      std::make_unique<http::Server>(loop, clock, std::move(*listener), std::move(routes));
  server->start();
  return server;
}

}  // namespace app
