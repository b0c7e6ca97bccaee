#include "tunnel/agent_metrics.h"

namespace tunnel {
namespace {

const std::string kPrefix = "konnectivity_network_proxy_agent_";
const metrics::Histogram::Buckets kLatencyBuckets = {.005, .025, .1, .5, 2.5, 10, 30};

}  // namespace

AgentMetrics::AgentMetrics(metrics::Registry& registry)
    : AgentMetrics(registry,
                   registry.counters(kPrefix + "bytes_total",
                                     "Bytes of payload carried, by direction.", {"direction"})) {}

AgentMetrics::AgentMetrics(metrics::Registry& registry, metrics::Labelled<metrics::Counter> bytes)
    : dial_duration(registry.histogram(kPrefix + "dial_duration_seconds",
                                       "Seconds that successful dials took.", kLatencyBuckets)),
      open_server_connections(registry.gauge(kPrefix + "open_server_connections",
                                             "Current number of open server connections.")),
      known_server_count(
          registry.gauge(kPrefix + "known_server_count", "Number of servers to connect to.")),
      open_endpoint_connections(registry.gauge(kPrefix + "open_endpoint_connections",
                                               "Current number of open endpoint connections.")),
      packets(registry, kPrefix),
      dials(registry.counter(kPrefix + "dials_total", "Number of requests to dial a target.")),
      destinations_refused(
          registry.counter(kPrefix + "destinations_refused_total",
                           "Number of dials that --allow-destination or --deny-destination "
                           "forbade.")),
      bytes_to_target(bytes.with({"to_target"})),
      bytes_from_target(bytes.with({"from_target"})),
      server_failures_(registry.counters(
          kPrefix + "server_connection_failure_count",
          "Deprecated: use stream_errors_total. Failures of connections to servers.",
          {"direction"})),
      dial_failures_(registry.counters(
          kPrefix + "endpoint_dial_failure_total",
          "Number of failures dialing the remote endpoint, by reason (example: timeout).",
          {"reason"})),
      lease_lists_(registry.counters(kPrefix + "lease_lists_total",
                                     "Number of listings of leases, by outcome.",
                                     {"http_response_code", "reason"})),
      lease_watches_(registry.counters(kPrefix + "lease_watches_total",
                                       "Number of watches of leases, by outcome.",
                                       {"http_response_code", "reason"})),
      lease_list_latency_(registry.histograms(kPrefix + "lease_list_latency_seconds",
                                              "Seconds that listing leases took.",
                                              {"http_response_code"}, kLatencyBuckets)),
      closed_(registry.counters(kPrefix + "connections_closed_total",
                                "Number of connections that ended, by reason.", {"reason"}, 32)) {
  known_server_count.touch();
}

void AgentMetrics::server_failed(ServerDirection direction) {
  server_failures_.with({direction == ServerDirection::to_server ? "to_server" : "from_server"})
      .add();
}

void AgentMetrics::endpoint_dial_failed(bool timeout) {
  dial_failures_.with({timeout ? "timeout" : "unknown"}).add();
}

void AgentMetrics::lease_listed(const std::string& code, const std::string& reason,
                                double seconds) {
  lease_lists_.with({code, reason}).add();
  lease_list_latency_.with({code}).observe(seconds);
}

void AgentMetrics::lease_watched(const std::string& code, const std::string& reason) {
  lease_watches_.with({code, reason}).add();
}

void AgentMetrics::connection_closed(const std::string& reason) { closed_.with({reason}).add(); }

}  // namespace tunnel
