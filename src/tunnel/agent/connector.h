#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "tunnel/agent/server_count.h"
#include "tunnel/agent/server_link.h"
#include "tunnel/agent/side_links.h"
#include "tunnel/agent/sync_schedule.h"

namespace tunnel {

/// Keeps the agent connected to every server: one attempt after the other, for ever.
///
/// Flow: run() until cancelled, or until stop(). Behind one address servers are found by chance,
/// as a balancer spreads connections; several addresses of a name, and several names, are tried in
/// turn, those without a link first, without a pause while servers are missing.
/// Guarantees: each server is held once (a second link to it is closed); a lost link is removed at
/// once. A link that falls silent keeps its connections while another one is looked for; when it
/// speaks again after that, it is left as soon as they are over.
/// Thread: that of the loop.
class Connector {
 public:
  struct Options {
    std::vector<net::HostPort> servers;  // at least one
    ServerLink::Options link;
    net::ProxyEnvironment proxies;
    async::Duration sync_interval = std::chrono::seconds(1);
    async::Duration sync_interval_cap = std::chrono::seconds(10);
    bool sync_forever = false;
    std::vector<AgentLoop> more_loops;  // for further links
  };

  /// References must outlive the connector.
  Connector(AgentContext& context, ServerLink::TlsSource tls, ServerCount& count, Options options);

  async::Task<void> run();
  /// No more links; every open one tells its server. They go on serving.
  void drain();
  bool draining() const { return draining_; }
  /// Whether at least one server is connected.
  bool connected() const { return connected_count() > 0; }
  /// Drops everything. After run() has ended.
  async::Task<void> stop();

 private:
  /// How long a server that says nothing is waited for before the next one is tried beside it.
  static constexpr async::Duration kHeadStart = std::chrono::seconds(1);

  using Outcome = SyncSchedule::Outcome;

  async::Task<Outcome> sync();
  async::Task<Outcome> try_routes(std::vector<ServerRoute> routes);
  async::Task<Outcome> try_route(ServerRoute route, async::TimePoint until);
  std::vector<ServerRoute> in_order(std::vector<ServerRoute> routes);
  bool enough();
  std::size_t connected_count() const;
  bool is_connected(const ServerLink& link) const;
  bool connected_to(const std::string& server_id, const ServerLink* beside = nullptr) const;
  bool known(const std::string& server_id) const;
  std::size_t links_over(const ServerRoute& route) const;
  bool tries(const ServerRoute& route) const;

  async::Task<void> run_link(std::unique_ptr<ServerLink> link);
  void link_changed(ServerLink& link);
  void open_still(ServerLink& link);
  void silent(const ServerLink& link);
  Outcome opened(ServerLink& link);
  void lost(ServerLink& link);
  void tell_failure(const std::string& address, const std::string& reason);
  void finish_attempt(Outcome outcome);

  AgentContext& context_;
  ServerLink::TlsSource tls_;
  ServerCount& count_;
  Options options_;
  SyncSchedule schedule_;
  std::vector<ServerLink*> links_;      // all that exist, also those that only flush
  std::vector<ServerLink*> connected_;  // open, and the only one to their server
  struct Told {
    std::string reason;
    async::TimePoint at;
  };
  std::map<std::string, Told>
      told_;  // by address: what the log last heard of a server out of reach
  std::size_t rotation_ = 0;
  bool draining_ = false;
  ServerLink* attempt_ = nullptr;  // the link that try_route() waits for
  Outcome attempt_outcome_ = Outcome::failed;
  async::Event attempt_over_;
  SideLinks side_links_;
  async::TaskGroup tasks_;
};

}  // namespace tunnel
