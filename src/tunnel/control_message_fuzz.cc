#include "tunnel/control_message.h"

#include <cstdint>

#include "base/check.h"

// Messages come out the same however the bytes are cut, and what we write reads back as itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<tunnel::ControlMessage> whole, cut;
  tunnel::ControlReader reader, piecewise;
  const bool ok =
      reader.feed({data, size}, [&](const auto& message) { whole.push_back(message); }).has_value();
  bool cut_ok = true;
  for (std::size_t at = 0; at < size && cut_ok; ++at) {
    cut_ok = piecewise.feed({data + at, 1}, [&](const auto& message) { cut.push_back(message); })
                 .has_value();
  }
  CHECK(ok == cut_ok);
  CHECK(whole == cut);
  for (const tunnel::ControlMessage& message : whole) {
    tunnel::ControlReader again;
    const std::string line = tunnel::encode_control(message);
    (void)again.feed(base::as_bytes(line),
                     [&](const auto& copy) { CHECK(copy.type == message.type); });
  }
  return 0;
}
