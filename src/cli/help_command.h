#pragma once

#include "cli/command.h"

namespace cli {

/// `cluster-proxy help [COMMAND...]`
Command help_command();

}  // namespace cli
