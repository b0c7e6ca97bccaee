#include "http/request_body.h"

#include <algorithm>

namespace {

// How many bytes belong to the request when so many come at a time.
std::size_t taken(base::Bytes bytes, std::size_t step) {
  http::RequestBody body("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::size_t all = 0;
  for (std::size_t at = 0; at < bytes.size() && !body.over(); at += step) {
    const base::Bytes part = bytes.subspan(at, std::min(step, bytes.size() - at));
    const std::size_t count = body.take(part);
    if (count > part.size() || (!body.over() && count != part.size())) __builtin_trap();
    all += count;
  }
  return all;
}

}  // namespace

// The first byte chooses how the rest arrives.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const base::Bytes rest(data + 1, size - 1);
  (void)taken(rest, data[0] + 1u);
  return 0;
}
