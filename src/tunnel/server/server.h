#pragma once

#include <memory>
#include <vector>

#include "async/task_group.h"
#include "net/listener.h"
#include "tunnel/server/directory.h"
#include "tunnel/server/shard.h"

namespace tunnel {

/// The tunnel server: accepts agents and clients and joins the two, on as many loops as it is
/// given.
///
/// Flow: construct; serve_agents() and serve_clients() for each listener; stop_accepting(),
/// drained(), stop(); destroy. Assumptions: the references outlive it; stop() has returned before
/// it is destroyed. Thread: that of the first loop.
class Server {
 public:
  using TlsSource = Shard::TlsSource;

  Server(const std::vector<async::Loop*>& loops, async::Clock& clock, metrics::Registry& registry,
         base::MemoryBudget& budget, ServerOptions options);
  ~Server();

  void serve_agents(std::unique_ptr<net::Listener> listener, TlsSource tls);
  /// Without `tls` clients speak in the clear (Unix socket).
  void serve_clients(std::unique_ptr<net::Listener> listener, FrontendMode mode, TlsSource tls);

  /// An agent serves the first strategy, and the server is not about to stop.
  bool ready() const { return !stopping_ && shards_.front()->router().ready(); }

  /// All loops' links, and at most `connections` connections.
  async::Task<ServerStatus> status(std::size_t connections);
  bool stopping() const { return stopping_; }

  /// Not ready any more; agents are told to look for another server, and no more of them are taken.
  /// Clients are served on.
  void announce_stop();
  void stop_accepting();
  /// Returns when no client is connected any more, or at `deadline`.
  async::Task<void> drained(async::TimePoint deadline);
  /// Ends all agents, then lets clients take their last bytes until `deadline`, then ends
  /// everything.
  async::Awaitable<void> stop(async::TimePoint deadline);

 private:
  struct Entrance {
    std::unique_ptr<net::Listener> listener;
    Shard::Door door;
  };

  void open(std::unique_ptr<net::Listener> listener, Shard::Door door);
  async::Task<void> accept_all(Entrance& entrance);
  std::size_t agents() const;
  bool keeps(const Shard::Door& door) const;
  Shard& next_for(const Shard::Door& door);
  async::Task<void> on_all(async::Task<void> (Shard::*what)());

  async::Clock& clock_;
  ServerOptions options_;
  base::MemoryBudget grown_windows_;
  http::H2Session::WindowPolicy windows_;
  Directory directory_;
  HangUps hang_ups_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<Entrance>> entrances_;
  std::size_t turn_ = 0;
  bool stopping_ = false;
  async::TaskGroup accepting_;
};

}  // namespace tunnel
