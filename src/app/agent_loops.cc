#include "app/agent_loops.h"

#include "async/run_on.h"

namespace app {

using async::Task;

struct AgentLoops::OneLoop {
  OneLoop(async::Loop& loop, metrics::Registry& registry, const tunnel::AgentContext& first)
      : metrics(registry),
        stall_watch(first.clock),
        context{
            first.clock,   loop.get_executor(),    metrics,          first.budget,      stall_watch,
            first.windows, first.connection_limit, first.access_log, first.destinations},
        links(loop.get_executor()),
        upkeep(loop.get_executor()) {
    upkeep.spawn("stall watch", stall_watch.run());
  }

  static Task<void> stop(OneLoop& loop) {
    loop.upkeep.cancel();
    co_await loop.upkeep.join();
    co_return base::Result<void>{};
  }

  tunnel::AgentMetrics metrics;
  tunnel::StallWatch stall_watch;
  tunnel::AgentContext context;
  async::TaskGroup links;
  async::TaskGroup upkeep;
};

AgentLoops::AgentLoops(const std::vector<async::Loop*>& loops, metrics::Registry& registry,
                       const tunnel::AgentContext& first) {
  for (std::size_t i = 1; i < loops.size(); ++i)
    loops_.push_back(std::make_unique<OneLoop>(*loops[i], registry, first));
}

AgentLoops::~AgentLoops() = default;

std::vector<tunnel::AgentLoop> AgentLoops::all() {
  std::vector<tunnel::AgentLoop> all;
  for (const auto& loop : loops_) all.push_back({loop->context, loop->links});
  return all;
}

Task<void> AgentLoops::stop() {
  for (const auto& loop : loops_) {
    OneLoop* const one = loop.get();
    CO_TRY_VOID(
        co_await async::run_on<void>(one->context.executor, [one] { return OneLoop::stop(*one); }));
  }
  co_return base::Result<void>{};
}

}  // namespace app
