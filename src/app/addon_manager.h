#pragma once

#include "app/addon_manager_config.h"

namespace app {

/// Runs the add-on's control plane on the hub until SIGTERM or SIGINT, or until the leader's lease
/// is lost. Returns the exit code: 0 after a signal, 1 when it could not start or lost the lease.
int run_addon_manager(const AddonManagerConfig& config);

}  // namespace app
