#pragma once

#include <string>

#include "metrics/registry.h"

namespace controller {

/// What controllers do, under the names that controller-runtime gives its series, so that
/// dashboards and alerts of other operators fit. Must not outlive the registry. Thread: that of the
/// loop.
class ControllerMetrics {
 public:
  explicit ControllerMetrics(metrics::Registry& registry);

  /// `result` is "success", "requeue_after" or "error".
  void reconciled(std::string_view controller, std::string_view result, double seconds);
  void queued(std::string_view controller, std::size_t depth);
  void leading(std::string_view lease, bool is_leader);

 private:
  metrics::Labelled<metrics::Counter> reconciles_;
  metrics::Labelled<metrics::Counter> errors_;
  metrics::Labelled<metrics::Histogram> durations_;
  metrics::Labelled<metrics::Gauge> depths_;
  metrics::Labelled<metrics::Gauge> leaders_;
};

}  // namespace controller
