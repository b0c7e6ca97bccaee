#include "tunnel/server/server.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "async/run_on.h"
#include "tunnel/native.h"
#include "tunnel/server/handover.h"

namespace tunnel {
namespace {

using async::Task;
using base::Result;

std::uint32_t largest_window(std::size_t limit) {
  return static_cast<std::uint32_t>(
      std::clamp<std::size_t>(limit, native::kFirstWindow, std::size_t{1} << 30));
}

}  // namespace

Server::Server(const std::vector<async::Loop*>& loops, async::Clock& clock,
               metrics::Registry& registry, base::MemoryBudget& budget, ServerOptions options)
    : clock_(clock),
      options_(std::move(options)),
      grown_windows_(options_.memory_limit / 2),
      windows_{clock, grown_windows_, largest_window(options_.window_limit)},
      accepting_(loops.front()->get_executor()) {
  options_.admission.identity = &options_.identity;
  const Shard::Shared shared{clock,      registry,  budget,       windows_, options_,
                             directory_, hang_ups_, loops.size(), shards_};
  for (async::Loop* loop : loops)
    shards_.push_back(std::make_unique<Shard>(*loop, shards_.size(), shared));
}

Server::~Server() = default;

void Server::serve_agents(std::unique_ptr<net::Listener> listener, TlsSource tls) {
  open(std::move(listener), {.tls = std::move(tls), .mode = std::nullopt, .who = "agent"});
}

void Server::serve_clients(std::unique_ptr<net::Listener> listener, FrontendMode mode,
                           TlsSource tls) {
  open(std::move(listener), {.tls = std::move(tls), .mode = mode, .who = "client"});
}

void Server::open(std::unique_ptr<net::Listener> listener, Shard::Door door) {
  entrances_.push_back(std::make_unique<Entrance>(Entrance{std::move(listener), std::move(door)}));
  accepting_.spawn("accept", accept_all(*entrances_.back()));
}

std::size_t Server::agents() const {
  std::size_t all = 0;
  for (const auto& shard : shards_) all += shard->agents();
  return all;
}

// Clients wait in the listener's queue.
Task<void> Server::accept_all(Entrance& entrance) {
  if (entrance.door.mode) {
    CO_TRY_VOID(co_await agents_have_come(clock_, options_.handover, [this] { return agents(); }));
  }
  for (;;) {
    Shard& shard = next_for(entrance.door);
    CO_TRY(auto socket, co_await entrance.listener->accept(shard.executor()));
    shard.admit(entrance.door, std::move(socket));
  }
}

// Whether the next client is served on the loop that accepts it: one of those in the clear, as a
// handshake is work for any core, unless the clients that stay make this loop the busier one.
bool Server::keeps(const Shard::Door& door) const {
  const Shard& here = *shards_.front();
  if (door.tls || here.agents() == 0 || !here.occupancy().takes_more()) return false;
  return std::ranges::all_of(shards_, [&](const std::unique_ptr<Shard>& shard) {
    return shard->agents() == 0 || shard->occupancy().lingering() >= here.occupancy().lingering();
  });
}

// Agents stay for long and are spread evenly. Clients take turns, among the loops that have links:
// there a client most likely finds its own and need not move.
Shard& Server::next_for(const Shard::Door& door) {
  if (!door.mode) {
    const auto fewest = std::ranges::min_element(
        shards_, {}, [](const std::unique_ptr<Shard>& shard) { return shard->agents(); });
    return **fewest;
  }
  if (keeps(door)) return *shards_.front();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    Shard& shard = *shards_[++turn_ % shards_.size()];
    if (shard.agents() > 0) return shard;
  }
  return *shards_[++turn_ % shards_.size()];
}

Task<ServerStatus> Server::status(std::size_t connections) {
  ServerStatus all;
  for (const auto& shard : shards_) {
    Shard* const it = shard.get();
    CO_TRY(ServerStatus part,
           co_await async::run_on<ServerStatus>(
               it->executor(), [it, connections] { return it->status(connections); }));
    std::ranges::move(part.links, std::back_inserter(all.links));
    std::ranges::move(part.departures, std::back_inserter(all.departures));
    std::ranges::move(part.connections, std::back_inserter(all.connections));
    all.connections_total += part.connections_total;
  }
  keep_busiest(all.connections, connections);
  co_return all;
}

void Server::announce_stop() {
  stopping_ = true;
  for (const auto& entrance : entrances_) {
    if (!entrance->door.mode) entrance->listener->close();
  }
  for (const auto& shard : shards_) shard->tell_draining();
}

void Server::stop_accepting() {
  if (!stopping_) announce_stop();
  for (const auto& entrance : entrances_) entrance->listener->close();
  accepting_.cancel();
}

Task<void> Server::drained(async::TimePoint deadline) {
  for (const auto& shard : shards_) {
    Shard* const it = shard.get();
    CO_TRY_VOID(co_await async::run_on<void>(it->executor(),
                                             [it, deadline] { return it->drained(deadline); }));
  }
  co_return Result<void>{};
}

Task<void> Server::on_all(Task<void> (Shard::*what)()) {
  for (const auto& shard : shards_) {
    Shard* const it = shard.get();
    CO_TRY_VOID(co_await async::run_on<void>(it->executor(), [it, what] { return (it->*what)(); }));
  }
  co_return Result<void>{};
}

async::Awaitable<void> Server::stop(async::TimePoint deadline) {
  stop_accepting();
  (void)co_await on_all(&Shard::stop_agents);
  (void)co_await drained(deadline);
  (void)co_await on_all(&Shard::stop);
  co_await accepting_.join();
}

}  // namespace tunnel
