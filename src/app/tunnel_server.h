#pragma once

#include "app/tunnel_server_config.h"

namespace app {

/// Runs the tunnel server until SIGINT or SIGTERM and returns the exit code of the process. Why it
/// could not start is written to standard error.
int run_tunnel_server(const TunnelServerConfig& config);

}  // namespace app
