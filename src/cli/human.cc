#include "cli/human.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace cli {

std::string human_bytes(double bytes) {
  constexpr std::array<std::string_view, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  if (unit == 0 || bytes >= 10) return fmt::format("{:.0f}{}", bytes, kUnits[unit]);
  return fmt::format("{:.1f}{}", bytes, kUnits[unit]);
}

std::string human_duration(double seconds, bool precise) {
  if (precise && seconds < 1) return fmt::format("{:.3g}ms", seconds * 1000);
  const auto whole = static_cast<std::int64_t>(std::max(seconds, 0.0));
  struct Unit {
    std::int64_t seconds;
    std::string_view name;
  };
  constexpr std::array<Unit, 4> kUnits = {{{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}}};
  for (std::size_t i = 0; i + 1 < kUnits.size(); ++i) {
    const Unit& unit = kUnits[i];
    const Unit& next = kUnits[i + 1];
    if (whole < unit.seconds) continue;
    const std::int64_t rest = whole % unit.seconds / next.seconds;
    const std::string tail = rest > 0 ? fmt::format("{}{}", rest, next.name) : "";
    return fmt::format("{}{}{}", whole / unit.seconds, unit.name, tail);
  }
  return fmt::format("{}s", whole);
}

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += fmt::format("{:<{}}", row[i], widths[i] + 3);
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string printable(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return out;
}

}  // namespace cli
