#pragma once

#include <memory>
#include <vector>

#include "app/tunnel_agent_config.h"
#include "async/loop_pool.h"
#include "metrics/registry.h"
#include "tunnel/agent/side_links.h"

namespace app {

/// What an agent has on each loop beside the first: for further links.
class AgentLoops {
 public:
  /// `first` is the context of the first loop, whose budgets and clock all share. The references
  /// outlive the object.
  AgentLoops(const std::vector<async::Loop*>& loops, metrics::Registry& registry,
             const tunnel::AgentContext& first);
  ~AgentLoops();

  std::vector<tunnel::AgentLoop> all();
  /// Ends the upkeep; after the links.
  async::Task<void> stop();

 private:
  struct OneLoop;
  std::vector<std::unique_ptr<OneLoop>> loops_;
};

}  // namespace app
