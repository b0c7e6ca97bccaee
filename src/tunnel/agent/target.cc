#include "tunnel/agent/target.h"

#include <array>
#include <utility>

#include "async/timeout.h"
#include "base/log.h"
#include "tunnel/destination.h"

namespace tunnel {
namespace {

base::Result<net::Family> family_of(const std::string& network) {
  if (network == "tcp") return net::Family::any;
  if (network == "tcp4") return net::Family::v4;
  if (network == "tcp6") return net::Family::v6;
  return base::fail(base::Code::invalid, fmt::format("dial {0}: unknown network {0}", network));
}

constexpr async::Duration kLingerLimit = std::chrono::seconds(1);

async::Task<void> linger(net::Stream& socket) {
  std::array<std::uint8_t, 16 * 1024> ignored;
  std::size_t count = 1;
  while (count > 0) {
    CO_TRY_VOID(co_await socket.wait_readable());
    CO_TRY(count, co_await socket.read_some(ignored));
  }
  co_return base::Result<void>{};
}

}  // namespace

async::Task<net::Socket> dial_target(AgentContext& context, const TargetRequest& request,
                                     net::Dial& dial) {
  const async::TimePoint started = context.clock.now();
  CO_TRY(const net::Family family, family_of(request.network));
  const net::DialOptions options{
      .limit = kTargetDialLimit, .family = family, .policy = context.destinations};
  auto socket = co_await dial.run(request.address, options);
  if (socket) {
    const std::chrono::duration<double> took = context.clock.now() - started;
    context.metrics.dial_duration.observe(took.count());
  } else if (!socket.error().is(base::Code::cancelled)) {
    context.metrics.endpoint_dial_failed(socket.error().is(base::Code::timeout));
    if (socket.error().message.contains(kNotAllowed)) context.metrics.destinations_refused.add();
  }
  co_return socket;
}

async::Task<void> close_target(async::Clock& clock, net::Stream& socket, bool still_writes) {
  if (still_writes && co_await socket.shutdown_write())
    (void)co_await async::with_timeout(clock, kLingerLimit, "linger", linger(socket));
  socket.close();
  co_return base::Result<void>{};
}

void log_target(const AgentContext& context, std::string_view message, const TargetRequest& request,
                async::TimePoint started, const TargetEnd& end) {
  if (!context.access_log) return;
  const std::chrono::duration<double> took = context.clock.now() - started;
  LOG_INFO(message, {"conn", request.id}, {"target", request.address}, {"server", request.server},
           {"sent", end.sent}, {"received", end.received},
           {"seconds", fmt::format("{:.3f}", took.count())}, {"end", end.how},
           {"error", end.error});
}

}  // namespace tunnel
