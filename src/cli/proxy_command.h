#pragma once

#include "cli/command.h"

namespace cli {

/// `cluster-proxy proxy --socks5 ADDRESS:PORT --http ADDRESS:PORT`
Command proxy_command();

}  // namespace cli
