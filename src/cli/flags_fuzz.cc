#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "cli/addon_agent_flags.h"
#include "cli/agent_flags.h"
#include "cli/server_flags.h"

namespace {

/// One argument per line.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

template <typename Flags>
void feed(const std::vector<std::string>& arguments) {
  Flags flags;
  if (!flags.table().parse(arguments)) return;
  (void)flags.config("id");  // whatever was parsed is accepted or refused, nothing else
  (void)flags.table().listing();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::string> arguments = split(base::as_text({data, size}));
  feed<cli::ServerFlags>(arguments);
  feed<cli::AgentFlags>(arguments);
  feed<cli::AddonAgentFlags>(arguments);
  return 0;
}
