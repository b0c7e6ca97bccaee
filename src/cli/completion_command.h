#pragma once

#include "cli/command.h"

namespace cli {

/// `cluster-proxy completion bash|zsh|fish`
Command completion_command();
/// `cluster-proxy __complete -- WORDS...`, which the scripts of the former ask.
Command complete_command();

}  // namespace cli
