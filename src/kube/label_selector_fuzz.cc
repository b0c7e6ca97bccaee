#include <cstdint>
#include <string_view>

#include "kube/labels.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto selector = kube::LabelSelector::parse(text)) {
    (void)selector->matches({{"a", "1"}, {"b", ""}});
  }
  // What labels print as selects exactly them.
  if (const auto labels = kube::parse_labels(text)) {
    const auto again = kube::LabelSelector::parse(kube::format_labels(*labels));
    if (!again || !again->matches(*labels)) __builtin_trap();
  }
  return 0;
}
