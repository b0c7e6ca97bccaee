#include "tunnel/server/backend.h"

#include "base/log.h"
#include "tunnel/server/context.h"

namespace tunnel {

Leg* dial_any(ServerContext& context, Leg::Frontend& frontend, const DialRequest& request) {
  const async::TimePoint now = context.clock.now();
  constexpr int kLinks = 3;  // a link that takes no more tells only when it is asked
  for (int i = 0; i < kLinks; ++i) {
    Backend* backend = context.router.pick(request.target, now);
    if (backend == nullptr) break;
    if (Leg* leg = backend->dial(frontend, request)) return leg;
  }
  context.metrics.dial_failed(DialFailure::no_agent);
  LOG_INFO("dial failed", {"client", frontend.client_name()}, {"target", request.target},
           {"error", context.router.why_none(request.target, now)});
  return nullptr;
}

}  // namespace tunnel
