#pragma once

#include <string>

#include "app/tunnel_server_config.h"
#include "async/clock.h"
#include "tunnel/server/status.h"

namespace app {

/// What the page says beside the links.
struct StatusFrame {
  const TunnelServerConfig& config;
  async::TimePoint started;
  bool stopping = false;
};

/// The answer of /status: JSON, as docs/status.md has it. `clock` tells the wall-clock time of the
/// moments in `status`.
std::string status_page(const StatusFrame& frame, const tunnel::ServerStatus& status,
                        const async::Clock& clock);

}  // namespace app
