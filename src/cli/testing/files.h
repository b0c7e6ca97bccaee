#pragma once

#include <string>
#include <string_view>

namespace cli::testing {

/// An existing, readable file with `content` in a directory of this test program's own; the same
/// name gives the same path. All of it disappears when the program ends.
std::string file(std::string_view name, std::string_view content = "x");

}  // namespace cli::testing
