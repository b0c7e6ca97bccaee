#include "cli/console.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace cli {

base::Result<void> check_output(const Console& console) {
  const int error = console.lost ? console.lost() : 0;
  if (error == 0) return {};
  base::Error why = base::system_error(error, "cannot write to standard output");
  if (error == EPIPE) why.code = base::Code::closed;
  return base::fail(std::move(why));
}

app::Output output_of(const Console& console) {
  return [&console](std::string_view text) {
    console.out(text);
    return check_output(console);
  };
}

// Flushed, for whoever reads at the other end of a pipe while the program goes on.
Console system_console() {
  const auto lost = std::make_shared<int>(0);
  return {.out =
              [lost](std::string_view text) {
                const bool written =
                    std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                    std::fflush(stdout) == 0;
                if (!written && *lost == 0) *lost = errno;
              },
          .error = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); },
          .environment =
              [](const std::string& name) {
                const char* value = std::getenv(name.c_str());
                return std::string(value == nullptr ? "" : value);
              },
          .lost = [lost] { return *lost; }};
}

}  // namespace cli
