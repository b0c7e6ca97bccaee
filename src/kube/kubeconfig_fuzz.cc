#include <cstdint>
#include <string_view>

#include "kube/config.h"

// Any text gives a configuration with a server, or an error; and so do its two parts as two files.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = kube::parse_kubeconfig(text, "/f/config");
  if (config && config->cluster.server.empty()) __builtin_trap();
  const auto cut = text.find("\n---\n");
  if (cut == std::string_view::npos) return 0;
  const auto merged = kube::merge_kubeconfigs({{"/f/one", std::string(text.substr(0, cut))},
                                               {"/g/two", std::string(text.substr(cut + 5))}});
  if (merged && merged->cluster.server.empty()) __builtin_trap();
  return 0;
}
