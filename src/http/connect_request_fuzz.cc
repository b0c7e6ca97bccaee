#include "http/connect_request.h"

// The first byte chooses how the rest arrives.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] + 1u;
  base::Bytes rest(data + 1, size - 1);
  http::ConnectRequestReader reader;
  while (!rest.empty()) {
    const base::Bytes part = rest.first(std::min(step, rest.size()));
    rest = rest.subspan(part.size());
    reader.feed(part);
    while (const auto outcome = reader.next()) {
      if (outcome->refusal == 0 && outcome->target.empty()) __builtin_trap();
      if (!outcome->keep_alive) return 0;
    }
  }
  return 0;
}
