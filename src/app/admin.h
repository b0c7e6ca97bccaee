#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/common_config.h"
#include "async/clock.h"
#include "http/routes.h"
#include "http/server.h"
#include "metrics/registry.h"

namespace app {

/// True while the program can do its work: at least one agent, or at least one server, is
/// connected.
using ReadyCheck = std::function<bool()>;

/// /healthz, /readyz, /ready and /metrics of the tunnel server. `registry` outlives the routes.
http::Routes server_health_routes(const metrics::Registry& registry, ReadyCheck ready);

/// What /status answers with, as JSON: with at most so many connections.
using StatusSource = std::function<async::Task<std::string>(std::size_t connections)>;

/// /metrics, /status and, if enabled, /debug/pprof of the tunnel server.
http::Routes server_admin_routes(const metrics::Registry& registry,
                                 const ProfilingConfig& profiling, StatusSource status);

/// /healthz, /readyz and /ready with ?verbose, and /metrics of the tunnel agent. /readyz?wait
/// answers when the agent is ready, or after 800 ms: who asks every second hears of it at once.
/// `clock` outlives the routes.
http::Routes agent_health_routes(const metrics::Registry& registry, async::Clock& clock,
                                 ReadyCheck ready);

/// /metrics, which redirects to the port `health_port` of the same host, and, if enabled,
/// /debug/pprof.
http::Routes agent_admin_routes(std::uint16_t health_port, const ProfilingConfig& profiling);

/// /metrics alone. `registry` outlives the routes.
http::Routes metrics_routes(const metrics::Registry& registry);

/// Serves `routes` at `address`. Null when that is not possible, which is logged with the name
/// `what`: the tunnel is worth more than its gauges. `loop` and `clock` outlive the server.
std::unique_ptr<http::Server> serve_http(async::Loop& loop, async::Clock& clock,
                                         const ListenAddress& address, http::Routes routes,
                                         std::string_view what);

}  // namespace app
