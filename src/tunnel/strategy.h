#pragma once

#include <string_view>

namespace tunnel {

/// How the server finds the agent for a dial.
enum class Strategy {
  any,            // "default": any agent
  dest_host,      // "destHost": the agents that announced the destination host
  default_route,  // "defaultRoute": the agents that announced default-route=true
};

/// The name in flags and in the label proxy_strategy.
constexpr std::string_view to_string(Strategy strategy) {
  switch (strategy) {
    case Strategy::any:
      return "default";
    case Strategy::dest_host:
      return "destHost";
    case Strategy::default_route:
      return "defaultRoute";
  }
  return "";
}

}  // namespace tunnel
