#include "controller/controller_metrics.h"

namespace controller {

ControllerMetrics::ControllerMetrics(metrics::Registry& registry)
    : reconciles_(registry.counters("controller_runtime_reconcile_total",
                                    "Number of reconciles, by controller and result.",
                                    {"controller", "result"})),
      errors_(registry.counters("controller_runtime_reconcile_errors_total",
                                "Number of reconciles that failed, by controller.",
                                {"controller"})),
      durations_(registry.histograms("controller_runtime_reconcile_time_seconds",
                                     "Seconds that reconciles took, by controller.", {"controller"},
                                     metrics::kDefaultBuckets)),
      depths_(registry.gauges("workqueue_depth", "Keys that wait to be reconciled.", {"name"})),
      leaders_(registry.gauges("leader_election_master_status",
                               "1 while this process holds the lease, 0 otherwise.", {"name"})) {}

void ControllerMetrics::reconciled(std::string_view controller, std::string_view result,
                                   double seconds) {
  const std::string name(controller);
  reconciles_.with({name, std::string(result)}).add();
  if (result == "error") errors_.with({name}).add();
  durations_.with({name}).observe(seconds);
}

void ControllerMetrics::queued(std::string_view controller, std::size_t depth) {
  depths_.with({std::string(controller)}).set(static_cast<double>(depth));
}

void ControllerMetrics::leading(std::string_view lease, bool is_leader) {
  leaders_.with({std::string(lease)}).set(is_leader ? 1 : 0);
}

}  // namespace controller
