#pragma once

#include "cli/command.h"

namespace cli {

/// `cluster-proxy status`: the clusters that a server knows.
Command status_command();
/// `cluster-proxy top`: its busiest connections, over and over.
Command top_command();

}  // namespace cli
