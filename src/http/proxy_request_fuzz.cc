#include "http/proxy_request.h"

#include <algorithm>

// The first byte chooses how the rest arrives.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] + 1u;
  base::Bytes rest(data + 1, size - 1);
  http::ProxyRequestReader reader;
  while (!rest.empty()) {
    const base::Bytes part = rest.first(std::min(step, rest.size()));
    rest = rest.subspan(part.size());
    reader.feed(part);
    const auto outcome = reader.next();
    if (!outcome) continue;
    if ((outcome->refusal == 0) == outcome->target.empty()) __builtin_trap();
    // Exactly one head goes to the origin.
    const std::string& head = outcome->forwarded;
    if (!head.empty() && head.find("\r\n\r\n") + 4 != head.size()) __builtin_trap();
    return 0;
  }
  return 0;
}
