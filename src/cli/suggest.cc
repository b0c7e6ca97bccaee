#include "cli/suggest.h"

#include <algorithm>
#include <vector>

namespace cli {
namespace {

/// The number of edits that make `b` of `a` (Damerau and Levenshtein, neighbours only). An
/// underscore is a dash.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) { return x == y || (x == '_' && y == '-'); };
  std::vector<std::vector<std::size_t>> edits(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) edits[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) edits[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = edits[i - 1][j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      edits[i][j] = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
    }
  }
  return edits[a.size()][b.size()];
}

}  // namespace

std::string_view closest(std::string_view typed, std::span<const std::string_view> candidates) {
  constexpr std::size_t kLongest = 64;
  if (typed.size() > kLongest) return {};
  std::string_view best;
  std::size_t least = std::min<std::size_t>(3, typed.size());
  for (const std::string_view candidate : candidates) {
    if (const std::size_t edits = distance(typed, candidate); edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

}  // namespace cli
