#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/clock.h"
#include "base/error.h"

namespace app {

/// What one test of a benchmark has counted.
class BenchTally {
 public:
  void took(async::Duration duration) { durations_.push_back(duration); }
  /// Something that was still awaited when the test ended, for so long.
  void unanswered(async::Duration duration) { awaited_ = std::max(awaited_, duration); }
  void moved(std::uint64_t bytes) { bytes_ += bytes; }
  void failed(base::Error error);

  std::size_t times() const { return durations_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t failures() const { return failures_; }
  const std::optional<base::Error>& first_failure() const { return first_failure_; }
  bool empty() const { return bytes_ == 0 && durations_.empty(); }

  /// "p50 0.52 ms  p90 0.70 ms  p99 1.20 ms  max 3.00 ms", of those from number `first` on.
  std::string percentiles(std::size_t first = 0) const;
  /// "  one unanswered for 950 ms" where that is longer than all that percentiles() tells of, or
  /// "".
  std::string awaited() const;

 private:
  std::vector<async::Duration> durations_;
  async::Duration awaited_{0};
  std::uint64_t bytes_ = 0;
  std::uint64_t failures_ = 0;
  std::optional<base::Error> first_failure_;
};

/// "1.97 Gbit/s"
std::string bit_rate(std::uint64_t bytes, async::Duration within);
/// "1.23 GB"
std::string amount(std::uint64_t bytes);

}  // namespace app
