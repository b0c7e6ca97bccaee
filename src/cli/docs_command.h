#pragma once

#include "cli/command.h"

namespace cli {

/// `cluster-proxy __docs`, of which docs/cli.md is the output.
Command docs_command();

}  // namespace cli
