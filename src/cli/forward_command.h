#pragma once

#include "app/client_commands.h"
#include "cli/command.h"

namespace cli {

/// `cluster-proxy forward [ADDR:]PORT:HOST:PORT ...`
Command forward_command();

/// "8080:host:80", "127.0.0.2:8080:[fd00::1]:80"; without an address the port is on loopback.
base::Result<app::Forward> parse_forward(const std::string& text);

}  // namespace cli
