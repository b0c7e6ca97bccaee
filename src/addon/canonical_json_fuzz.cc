#include "addon/canonical_json.h"

#include <cstdint>
#include <string_view>

// The canonical form of any JSON is JSON, and its own canonical form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = kube::parse_json({reinterpret_cast<const char*>(data), size});
  if (!value) return 0;
  const auto once = addon::canonical_json(*value);
  const auto again = kube::parse_json(once);
  if (!again || addon::canonical_json(*again) != once) __builtin_trap();
  return 0;
}
