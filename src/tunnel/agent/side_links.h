#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "tunnel/agent/server_link.h"

namespace tunnel {

/// One loop of an agent beside its first, and what its links use there.
struct AgentLoop {
  AgentContext& context;
  async::TaskGroup& tasks;  // of that loop, for its links
};

/// The further links of an agent to servers that asked for them (docs/protocol.md, 8), spread over
/// its loops, the first of them last. They are there as long as a first link to their server
/// is: servers do not count them as agents, nor the agent them as servers.
///
/// Thread: that of the agent's first loop. What happens on other loops comes back by messages.
class SideLinks {
 public:
  /// The references must outlive the object; the loops run until stop() has returned.
  /// `more_loops`: those beside the first, whose is `context`.
  SideLinks(AgentContext& context, const ServerLink::TlsSource& tls,
            const ServerLink::Options& options, std::vector<AgentLoop> more_loops);
  ~SideLinks();

  /// Opens what is missing of the links that the server of `first` wishes to have.
  void want(const ServerLink& first);
  /// The last first link to the server is lost.
  void drop(const std::string& server_id);
  /// All servers get no more dials here if others can have them.
  void drain();
  /// Drops everything.
  async::Task<void> stop();

 private:
  struct Side;
  struct Group;
  std::size_t further(const LinksWanted& wanted) const;
  void open(const std::string& server_id, Group& group, int number);
  static async::Task<void> run(std::shared_ptr<Side> side, SideLinks* owner, std::string server_id,
                               int number);
  void lost(const std::string& server_id, int number, const Side& side);
  async::Task<void> reopen_later(std::string server_id, int number);

  AgentContext& context_;
  const ServerLink::TlsSource& tls_;
  std::vector<AgentLoop> loops_;                // the first one last
  std::map<int, ServerLink::Options> options_;  // by number
  std::map<std::string, Group> groups_;         // by server id
  bool draining_ = false;
  async::TaskGroup first_loop_tasks_;  // further links there
  async::TaskGroup tasks_;
};

}  // namespace tunnel
