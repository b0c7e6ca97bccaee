#pragma once

#include "cli/command.h"

namespace cli {

/// `cluster-proxy dial HOST:PORT`
Command dial_command();

}  // namespace cli
