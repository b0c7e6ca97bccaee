#pragma once

#include <span>
#include <string_view>

namespace cli {

/// The candidate that `typed` most likely meant: at most two letters wrong, missing, too many or
/// swapped with their neighbour, or an underscore for a dash. Empty when none is close.
std::string_view closest(std::string_view typed, std::span<const std::string_view> candidates);

}  // namespace cli
