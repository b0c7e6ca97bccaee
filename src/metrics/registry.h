#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/metrics.h"

namespace prometheus {
class Registry;
}

namespace metrics {

/// The series of one process, or of one test. Names must be valid and used once: they are literals
/// of ours. Thread: that of the loop.
class Registry {
 public:
  static constexpr std::size_t kFewSeries = 128;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter counter(const std::string& name, const std::string& help);
  Gauge gauge(const std::string& name, const std::string& help);
  Histogram histogram(const std::string& name, const std::string& help, Histogram::Buckets buckets);

  Labelled<Counter> counters(const std::string& name, const std::string& help,
                             std::vector<std::string> labels, std::size_t limit = kFewSeries);
  Labelled<Gauge> gauges(const std::string& name, const std::string& help,
                         std::vector<std::string> labels, std::size_t limit = kFewSeries);
  Labelled<Histogram> histograms(const std::string& name, const std::string& help,
                                 std::vector<std::string> labels, Histogram::Buckets buckets,
                                 std::size_t limit = kFewSeries);

  /// Prometheus' text format: families by name, series by labels; the process_* series of this
  /// process among them.
  std::string expose() const;

 private:
  std::unique_ptr<prometheus::Registry> registry_;
};

}  // namespace metrics
