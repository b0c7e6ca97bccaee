#include "portforward/spdy_frame.h"

#include <cstddef>
#include <cstdint>

#include "base/check.h"

/// No bytes bring the decoder down, and it always takes some or all of what it is given.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  portforward::SpdyDecoder decoder;
  base::Bytes input(data, size);
  for (;;) {
    const auto frame = decoder.next(input);
    if (!frame) return 0;
    if (!*frame) break;
  }
  CHECK(input.empty());
  return 0;
}
