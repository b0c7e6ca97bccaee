#pragma once

#include "cli/command.h"

namespace cli {

/// `cluster-proxy doctor`: what is wrong on the way to a server, and what to do.
Command doctor_command();

}  // namespace cli
