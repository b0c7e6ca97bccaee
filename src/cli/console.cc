#include "cli/console.h"

#include <cstdio>
#include <cstdlib>

namespace cli {

Console system_console() {
  // Flushed, for whoever reads at the other end of a pipe while the program goes on.
  return {.out =
              [](std::string_view text) {
                std::fwrite(text.data(), 1, text.size(), stdout);
                std::fflush(stdout);
              },
          .error = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); },
          .environment =
              [](const std::string& name) {
                const char* value = std::getenv(name.c_str());
                return std::string(value == nullptr ? "" : value);
              }};
}

}  // namespace cli
