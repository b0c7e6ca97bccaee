#pragma once

#include "cli/command.h"

namespace cli {

/// `cluster-proxy kubeconfig`: a context for kubectl through the tunnel.
Command kubeconfig_command();

}  // namespace cli
