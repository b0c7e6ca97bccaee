#include "addon/health_port.h"

#include <charconv>

namespace addon {

std::string_view flag_value(const std::vector<std::string>& args, std::string_view name) {
  std::string_view value;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string_view arg = args[i];
    if (!arg.starts_with("--") || !arg.substr(2).starts_with(name)) continue;
    const auto rest = arg.substr(2 + name.size());
    if (rest.starts_with('=')) value = rest.substr(1);
    if (rest.empty() && i + 1 < args.size()) value = args[i + 1];
  }
  return value;
}

std::optional<std::int64_t> health_port(const std::vector<std::string>& args,
                                        const HealthFlags& flags) {
  const auto address = flag_value(args, flags.address);
  if (!address.empty() && address != "0.0.0.0" && address != "::") return std::nullopt;
  const auto text = flag_value(args, flags.port);
  std::int64_t port = flags.usual_port;
  if (!text.empty()) std::from_chars(text.data(), text.data() + text.size(), port);
  if (port <= 0) return std::nullopt;
  return port;
}

}  // namespace addon
