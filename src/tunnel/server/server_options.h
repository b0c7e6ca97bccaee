#pragma once

#include <cstddef>
#include <vector>

#include "async/clock.h"
#include "tunnel/server/agent_service.h"
#include "tunnel/strategy.h"

namespace tunnel {

struct ServerOptions {
  AgentAdmission admission;
  IdentityPolicy identity{IdentityMode::off};
  ClientPolicy clients;
  std::vector<Strategy> strategies = {Strategy::any};
  std::size_t connection_limit = 4 << 20;             // bytes buffered for one connection
  std::size_t memory_limit = std::size_t{256} << 20;  // bytes of all buffers
  std::size_t window_limit = 16 << 20;                // bytes, one connection of a native link
  bool access_log = true;
  async::Duration dial_timeout{0};  // 0 = none
  /// Longest time that the first clients wait until agents have come. 0 = none.
  async::Duration handover{0};
  async::Duration agent_keepalive = std::chrono::hours(1);
  async::Duration client_keepalive = std::chrono::hours(1);
};

}  // namespace tunnel
