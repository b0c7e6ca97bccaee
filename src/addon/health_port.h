#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace addon {

/// The value of the last `--name=value` or `--name value`; "" when there is none.
std::string_view flag_value(const std::vector<std::string>& args, std::string_view name);

/// The flags that say where a program of ours tells its health.
struct HealthFlags {
  std::string_view address;
  std::string_view port;
  std::int64_t usual_port;
};

/// Where the kubelet can ask the program how it is; nothing when `args` hide that port from it.
std::optional<std::int64_t> health_port(const std::vector<std::string>& args,
                                        const HealthFlags& flags);

}  // namespace addon
