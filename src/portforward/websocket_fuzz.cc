#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "portforward/websocket_frame.h"

/// No bytes bring the decoder down, and it always takes some or all of what it is given.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  portforward::WebSocketDecoder decoder;
  base::Bytes input(data, size);
  for (;;) {
    const auto part = decoder.next(input);
    if (!part) return 0;
    if (!*part) break;
    if ((*part)->opcode == portforward::WebSocketOpcode::close) {
      (void)portforward::websocket_close_reason((*part)->control);
    }
  }
  CHECK(input.empty());
  return 0;
}
