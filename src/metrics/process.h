#pragma once

#include <vector>

#include <prometheus/metric_family.h>

namespace metrics {

/// The process_* series that Prometheus' client libraries have on Linux, of this process, now. What
/// the system does not tell is left out.
std::vector<prometheus::MetricFamily> collect_process();

}  // namespace metrics
