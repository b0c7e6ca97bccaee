#include "tunnel/server/backend.h"

#include "base/log.h"
#include "tunnel/server/context.h"

namespace tunnel {

namespace {

// The client must not go there; the log says so, with the way out.
Dialed refuse(ServerContext& context, const Client& client, const DialRequest& request,
              std::string_view cluster, std::string why) {
  context.metrics.dial_failed(DialFailure::forbidden);
  LOG_INFO("dial refused", {"client", client.name}, {"target", request.target},
           {"cluster", cluster}, {"error", why});
  return {.reason = DialFailure::forbidden, .error = std::move(why)};
}

}  // namespace

Dialed dial_any(ServerContext& context, Leg::Frontend& frontend, const DialRequest& request,
                const Client& client) {
  const async::TimePoint now = context.clock.now();
  constexpr int kLinks = 3;  // a link that takes no more tells only when it is asked
  for (int i = 0; i < kLinks; ++i) {
    Backend* backend = context.router.pick(request.target, now);
    if (client.access) {
      const std::string cluster = backend == nullptr ? "" : backend->cluster();
      if (auto why = client.access->objection(client.name, request.target, cluster))
        return refuse(context, client, request, cluster, *std::move(why));
    }
    if (backend == nullptr) break;
    if (Leg* leg = backend->dial(frontend, request)) return {.leg = leg};
  }
  context.metrics.dial_failed(DialFailure::no_agent);
  LOG_INFO("dial failed", {"client", client.name}, {"target", request.target},
           {"error", context.router.why_none(request.target, now)});
  return {.reason = DialFailure::no_agent};
}

}  // namespace tunnel
