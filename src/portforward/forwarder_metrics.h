#pragma once

#include <string>

#include "metrics/registry.h"

namespace portforward {

/// The series of port forwarding. Must not outlive the registry. Thread: that of the loop.
class ForwarderMetrics {
 public:
  explicit ForwarderMetrics(metrics::Registry& registry);

  metrics::Gauge tunnels;      // open
  metrics::Gauge connections;  // to pods
  metrics::Counter opened;
  metrics::Counter failed;   // could not be opened
  metrics::Counter broken;   // did not end in order
  metrics::Counter stalled;  // reset since their reader took nothing
  metrics::Counter bytes_up;
  metrics::Counter bytes_down;
};

}  // namespace portforward
