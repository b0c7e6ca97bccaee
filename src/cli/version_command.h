#pragma once

#include "cli/command.h"

namespace cli {

/// `cluster-proxy version`
Command version_command();

}  // namespace cli
