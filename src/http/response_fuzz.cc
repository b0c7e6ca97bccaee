#include <cstdint>
#include <cstdlib>

#include "http/response_parser.h"

namespace {

/// Feeds `input` in pieces of `step` bytes and gives all of the body.
std::string parse(base::Bytes input, std::size_t step, bool* done) {
  http::ResponseParser parser({.max_head_bytes = 4096});
  std::string pending;
  std::string body;
  for (std::size_t i = 0; i < input.size() && !parser.done(); i += step) {
    pending += base::as_text(input.subspan(i, std::min(step, input.size() - i)));
    const auto taken = parser.feed(base::as_bytes(pending));
    if (!taken) return body;
    pending.erase(0, *taken);
    body += parser.take_body();
  }
  *done = parser.end().has_value();
  return body;
}

}  // namespace

// However the bytes are cut, a whole response has the same body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes input(data, size);
  bool whole_done = false;
  bool cut_done = false;
  const auto whole = parse(input, std::max<std::size_t>(size, 1), &whole_done);
  const auto cut = parse(input, 7, &cut_done);
  if (whole_done && cut_done && whole != cut) std::abort();
  return 0;
}
