#include <utility>

#include <fmt/format.h>

#include "app/client_commands.h"
#include "async/signal_set.h"
#include "net/listener.h"
#include "tunnel/local/bench_helper.h"

namespace app {
namespace {

using async::Task;
using base::Result;

Task<void> until_signal(async::Loop& loop, tunnel::local::Port& port) {
  async::SignalSet signals(loop, SIGINT, SIGTERM);
  (void)co_await signals.async_wait(async::kAsTuple);
  co_await port.stop();
  loop.stop();
  co_return Result<void>{};
}

}  // namespace

Result<int> run_bench_helper(const ListenAddress& listen, const Output& out) {
  async::Loop loop{1};
  async::SystemClock clock;
  TRY(auto listener, net::listen_tcp(loop, clock, listen.host, listen.port));
  tunnel::local::Port port(loop, std::move(listener), tunnel::local::bench_helper());
  TRY_VOID(out(fmt::format("Bench helper at {}\n", port.address())));
  port.start();
  async::TaskGroup tasks(loop.get_executor());
  tasks.spawn("signals", until_signal(loop, port));
  loop.run();
  return 0;
}

}  // namespace app
