#include <cstdint>
#include <string_view>

#include "kube/config.h"

// Any text gives a configuration with a server, or an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = kube::parse_kubeconfig(text, "/f/config");
  if (config && config->cluster.server.empty()) __builtin_trap();
  return 0;
}
