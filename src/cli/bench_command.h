#pragma once

#include "app/client_commands.h"
#include "cli/command.h"

namespace cli {

/// `cluster-proxy bench TARGET`
Command bench_command();

/// "bench://host:port", "http://host/path", "host:port".
base::Result<app::BenchPlan> parse_bench_target(const std::string& text);

}  // namespace cli
