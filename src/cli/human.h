#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Numbers and tables as people read them.
namespace cli {

/// "0B", "999B", "1.2KiB", "340MiB".
std::string human_bytes(double bytes);
/// Two units at most: "850ms", "12s", "5m30s", "3h4m", "12d3h". Below a second with `precise` only,
/// else "0s".
std::string human_duration(double seconds, bool precise = false);

/// Rows as lines, their columns aligned, three spaces apart; the first row is the heading. Rows may
/// be shorter than the heading.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

/// What a terminal does not take for a command: control characters as '?'. Peers choose names.
std::string printable(std::string_view text);

}  // namespace cli
