#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace cli {

/// Where a command's text goes, and its surroundings.
struct Console {
  std::function<void(std::string_view)> out;
  std::function<void(std::string_view)> error;
  std::function<std::string(const std::string&)> environment;  // "" for a variable that is not set
};
Console system_console();

}  // namespace cli
