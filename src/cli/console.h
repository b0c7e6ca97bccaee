#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/client_commands.h"
#include "base/result.h"

namespace cli {

/// Where a command's text goes, and its surroundings.
struct Console {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> error;
  std::function<std::string(const std::string&)> environment;  // "" for a variable that is not set
  std::function<int()> lost = nullptr;  // errno of what `out` could not write; 0 or unset: none
};
/// Fails when output was lost: Code::closed when its reader has gone, which is nobody's fault.
base::Result<void> check_output(const Console& console);
/// `console.out`, checked at once. The console outlives it.
app::Output output_of(const Console& console);
Console system_console();

}  // namespace cli
