#include "app/bench_tally.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace app {
namespace {

double milliseconds(async::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::string scaled(double value, std::string_view unit) {
  constexpr std::array<std::string_view, 5> kPrefixes = {"", "k", "M", "G", "T"};
  std::size_t step = 0;
  while (value >= 1000 && step + 1 < kPrefixes.size()) {
    value /= 1000;
    ++step;
  }
  return fmt::format("{:.2f} {}{}", value, kPrefixes[step], unit);
}

}  // namespace

void BenchTally::failed(base::Error error) {
  ++failures_;
  if (!first_failure_) first_failure_ = std::move(error);
}

std::string BenchTally::percentiles(std::size_t first) const {
  std::vector<async::Duration> sorted(
      durations_.begin() + static_cast<std::ptrdiff_t>(std::min(first, durations_.size())),
      durations_.end());
  if (sorted.empty()) return "none";
  std::ranges::sort(sorted);
  const auto at = [&](std::size_t percent) {
    return milliseconds(sorted[std::min(sorted.size() - 1, sorted.size() * percent / 100)]);
  };
  return fmt::format("p50 {:.2f} ms  p90 {:.2f} ms  p99 {:.2f} ms  max {:.2f} ms", at(50), at(90),
                     at(99), milliseconds(sorted.back()));
}

std::string BenchTally::awaited() const {
  const auto longest = std::ranges::max_element(durations_);
  if (longest == durations_.end() || awaited_ <= *longest) return "";
  return fmt::format("  one unanswered for {:.0f} ms", milliseconds(awaited_));
}

std::string bit_rate(std::uint64_t bytes, async::Duration within) {
  const double seconds = std::chrono::duration<double>(within).count();
  return scaled(seconds > 0 ? static_cast<double>(bytes) * 8 / seconds : 0, "bit/s");
}

std::string amount(std::uint64_t bytes) { return scaled(static_cast<double>(bytes), "B"); }

}  // namespace app
