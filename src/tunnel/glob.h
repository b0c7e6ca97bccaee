#pragma once

#include <string_view>

namespace tunnel {

/// Whether `text` is of the form `pattern`, in which '*' stands for any bytes, also none, and '?'
/// for any one byte.
bool matches_glob(std::string_view pattern, std::string_view text);

}  // namespace tunnel
