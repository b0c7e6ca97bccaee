#include "addon/image.h"

#include <cstdint>
#include <string_view>

// What a reference is taken apart into is the same reference.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto image = addon::parse_image(text);
  if (!image) return 0;
  const auto again = addon::parse_image(image->text());
  if (image->image.empty() || image->tag.empty() || !again) __builtin_trap();
  if (again->text() != image->text()) __builtin_trap();
  return 0;
}
