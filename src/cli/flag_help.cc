#include <algorithm>

#include <fmt/format.h>

#include "cli/flag_set.h"

namespace cli {
namespace {

constexpr std::size_t kScreen = 110;  // columns
constexpr std::size_t kIndent = 10;   // of the lines that explain a flag

bool is_zero(const Flag& flag) {
  return flag.fallback.empty() || flag.fallback == "0" || flag.fallback == "0s" ||
         flag.fallback == "false";
}

std::string heading(const Flag& flag) {
  std::string line = flag.shorthand == 0 ? "      " : fmt::format("  -{}, ", flag.shorthand);
  line += "--" + flag.name;
  if (!flag.type.empty()) line += " " + flag.type;
  if (is_zero(flag)) return line;
  const bool quoted = flag.type == "string";
  return line + (quoted ? fmt::format(" (default \"{}\")", flag.fallback)
                        : fmt::format(" (default {})", flag.fallback));
}

/// Breaks `text` between words so that it fits the screen.
std::string wrapped(std::string_view text) {
  std::string out;
  std::size_t column = kScreen;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const bool fits = column + 1 + word.size() <= kScreen;
    out += fits ? " " : (out.empty() ? "" : "\n") + std::string(kIndent, ' ');
    column = fits ? column + 1 + word.size() : kIndent + word.size();
    out += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string FlagSet::help() const {
  std::string text;
  for (const std::string& section : sections_) {
    text += fmt::format("\n{}:\n", section);
    for (const auto& [name, flag] : flags_) {
      if (flag.section != section || flag.hidden || !flag.deprecated.empty()) continue;
      text += fmt::format("{}\n{}\n", heading(flag), wrapped(flag.usage));
    }
  }
  return text;
}

}  // namespace cli
