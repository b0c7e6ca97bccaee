#include "kube/watch_decoder.h"

#include <cstdint>
#include <string_view>

namespace {

/// How many events `text` holds when it comes in pieces of `step` bytes.
int count(std::string_view text, std::size_t step) {
  kube::WatchDecoder decoder(4096);
  int events = 0;
  for (std::size_t i = 0; i < text.size(); i += step) {
    decoder.feed(text.substr(i, step));
    for (;;) {
      const auto event = decoder.next();
      if (!event) return events;
      if (!*event) break;
      ++events;
    }
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Within the limit of a line, the cut does not matter.
  if (size <= 4096 && count(text, 5) != count(text, std::max<std::size_t>(size, 1)))
    __builtin_trap();
  return 0;
}
