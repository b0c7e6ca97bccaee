#include "addon/canonical_json.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace {

namespace json = kube::json;

/// Boost.JSON may read a float one place off, so its text is not a fixed point.
bool has_float(const json::value& value) {
  if (const auto* object = value.if_object()) {
    return std::any_of(object->begin(), object->end(),
                       [](const auto& member) { return has_float(member.value()); });
  }
  if (const auto* array = value.if_array()) {
    return std::any_of(array->begin(), array->end(), has_float);
  }
  return value.is_double() || value.is_uint64();
}

}  // namespace

// The canonical form of any JSON is JSON and, floats apart, its own canonical form.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = kube::parse_json({reinterpret_cast<const char*>(data), size});
  if (!value) return 0;
  const auto once = addon::canonical_json(*value);
  const auto again = kube::parse_json(once);
  if (!again) __builtin_trap();
  if (!has_float(*value) && addon::canonical_json(*again) != once) __builtin_trap();
  return 0;
}
