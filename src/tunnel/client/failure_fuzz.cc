#include "tunnel/client/failure.h"

#include <algorithm>

#include "base/bytes.h"

// The first byte chooses the status; the first line is Proxy-Status, the rest the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input = base::as_text({data + 1, size - 1});
  const std::size_t end = std::min(input.find('\n'), input.size());
  const tunnel::client::Refusal refusal{
      .status = 200U + data[0],
      .proxy_status = std::string(input.substr(0, end)),
      .text = std::string(input.substr(std::min(end + 1, input.size())))};
  const auto error = tunnel::client::explain(refusal, "host:80", "server:8090");
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (error.message.empty() || std::ranges::any_of(error.message, control)) __builtin_trap();
  return 0;
}
