#include "tunnel/local/socks5.h"

#include <algorithm>

#include "net/address.h"

// The first byte chooses how the rest arrives, and whether a password is wanted.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] / 2 + 1u;
  base::Bytes rest(data + 1, size - 1);
  tunnel::local::Credentials credentials;
  if (data[0] % 2 == 1) credentials = {"u", "p"};
  tunnel::local::Socks5Handshake handshake(credentials);
  while (!rest.empty()) {
    const base::Bytes part = rest.first(std::min(step, rest.size()));
    rest = rest.subspan(part.size());
    handshake.feed(part);
    while (const auto next = handshake.next()) {
      if (!next->target.empty() && !next->refusal.empty()) __builtin_trap();
      if (!next->target.empty() && !net::parse_host_port(next->target)) __builtin_trap();
    }
  }
  return 0;
}
