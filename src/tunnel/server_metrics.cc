#include "tunnel/server_metrics.h"

#include <array>

namespace tunnel {
namespace {

const std::string kPrefix = "konnectivity_network_proxy_server_";
constexpr std::size_t kMostAgents = 10'240;

const metrics::Histogram::Buckets kLatencyBuckets = {1e-6, 1e-5, 1e-4, .005, .025,
                                                     .1,   .5,   2.5,  12.5};
const metrics::Histogram::Buckets kLifeBuckets = {1,   5,    15,   30,    60,    300,
                                                  900, 1800, 3600, 14400, 43200, 86400};

std::string name_of(ServiceMethod method) {
  return method == ServiceMethod::proxy ? "Proxy" : "Connect";
}

constexpr std::array<const char*, 8> kDialFailures = {
    "no_agent",      "error_response",       "unrecognized_response", "send_rsp",
    "backend_close", "backend_dial_timeout", "frontend_close",        "forbidden"};

}  // namespace

ServerMetrics::ServerMetrics(metrics::Registry& registry, std::span<const Strategy> strategies)
    : dial_duration(registry.histogram(kPrefix + "dial_duration_seconds",
                                       "Seconds from a dial request to its successful answer.",
                                       kLatencyBuckets)),
      frontend_write_duration(registry.histogram(kPrefix + "frontend_write_duration_seconds",
                                                 "Seconds that writing a packet to a client took.",
                                                 kLatencyBuckets)),
      connection_duration(registry.histogram(kPrefix + "connection_duration_seconds",
                                             "Seconds that connections lived.", kLifeBuckets)),
      http_connections(
          registry.gauge(kPrefix + "http_connections", "Number of open HTTP CONNECT requests.")),
      pending_dials(registry.gauge(kPrefix + "pending_backend_dials",
                                   "Number of dials that wait for an answer.")),
      established_connections(
          registry.gauge(kPrefix + "established_connections", "Number of open connections.")),
      culled_leases(registry.counter(kPrefix + "culled_leases_count",
                                     "Number of expired leases that were deleted.")),
      packets(registry, kPrefix),
      open_streams_(registry.gauges(kPrefix + "grpc_connections",
                                    "Number of open gRPC streams, by method.", {"service_method"})),
      full_channels_(registry.gauges(
          kPrefix + "full_receive_channels",
          "Number of streams that wait because their receive queue is full, by method.",
          {"service_method"})),
      dial_failures_(registry.counters(kPrefix + "dial_failure_count",
                                       "Number of dial failures observed. Multiple failures can "
                                       "occur for a single dial request.",
                                       {"reason"})),
      ready_backend_connections_(
          registry.gauge(kPrefix + "ready_backend_connections",
                         "Deprecated: use ready_backends. Number of agents ready to dial.")),
      ready_backends_(registry.gauges(kPrefix + "ready_backends",
                                      "Number of backends ready to dial, by strategy.",
                                      {"proxy_strategy"})),
      lease_deletes_(registry.counters(kPrefix + "lease_delete_total",
                                       "Number of deletions of leases, by outcome.",
                                       {"http_status_code", "reason"})),
      lease_lists_(registry.counters(kPrefix + "lease_list_total",
                                     "Number of listings of leases, by outcome.",
                                     {"http_status_code", "reason"})),
      lease_delete_latency_(registry.histograms(kPrefix + "lease_delete_latency_seconds",
                                                "Seconds that deleting a lease took.",
                                                {"http_status_code"}, metrics::kDefaultBuckets)),
      lease_list_latency_(registry.histograms(kPrefix + "lease_list_latency_seconds",
                                              "Seconds that listing leases took.",
                                              {"http_status_code"}, metrics::kDefaultBuckets)),
      bytes_(registry.counters(kPrefix + "bytes_total",
                               "Bytes of payload carried, by agent and direction.",
                               {"agent_id", "direction"}, 2 * kMostAgents)),
      dials_(registry.counters(kPrefix + "dials_total",
                               "Number of dials handed to agents, by agent.", {"agent_id"},
                               kMostAgents)),
      agent_dial_errors_(registry.counters(
          kPrefix + "dial_errors_total",
          "Number of dials that failed after an agent was chosen, by agent and reason.",
          {"agent_id", "reason"}, 2 * kMostAgents)),
      closed_(registry.counters(kPrefix + "connections_closed_total",
                                "Number of connections that ended, by reason.", {"reason"}, 32)),
      identity_violations_(registry.counters(
          kPrefix + "identity_violations_total",
          "Number of times that an agent came with identifiers that its certificate does not "
          "vouch for, by what became of it: refused or admitted.",
          {"action"}, 2)) {
  http_connections.touch();
  culled_leases.touch();
  ready_backend_connections_.touch();
  for (const Strategy strategy : strategies)
    ready_backends_.with({std::string(to_string(strategy))}).touch();
}

metrics::Gauge& ServerMetrics::open_streams(ServiceMethod method) {
  return open_streams_.with({name_of(method)});
}

metrics::Gauge& ServerMetrics::full_channels(ServiceMethod method) {
  return full_channels_.with({name_of(method)});
}

void ServerMetrics::dial_failed(DialFailure reason) {
  dial_failures_.with({kDialFailures[static_cast<std::size_t>(reason)]}).add();
}

void ServerMetrics::set_ready_backends(Strategy strategy, std::size_t keys) {
  ready_backends_.with({std::string(to_string(strategy))}).set(static_cast<double>(keys));
  ready_backend_connections_.set(static_cast<double>(keys));
}

void ServerMetrics::lease_listed(const std::string& code, const std::string& reason,
                                 double seconds) {
  lease_lists_.with({code, reason}).add();
  lease_list_latency_.with({code}).observe(seconds);
}

void ServerMetrics::lease_deleted(const std::string& code, const std::string& reason,
                                  double seconds) {
  lease_deletes_.with({code, reason}).add();
  lease_delete_latency_.with({code}).observe(seconds);
}

AgentTraffic ServerMetrics::traffic_of(const std::string& agent_id) {
  return {.bytes_to_agent = bytes_.with({agent_id, "to_agent"}),
          .bytes_from_agent = bytes_.with({agent_id, "from_agent"}),
          .dials = dials_.with({agent_id})};
}

void ServerMetrics::agent_dial_failed(const std::string& agent_id, const std::string& reason) {
  agent_dial_errors_.with({agent_id, reason}).add();
}

void ServerMetrics::connection_closed(const std::string& reason) { closed_.with({reason}).add(); }

void ServerMetrics::identity_violated(bool refused) {
  identity_violations_.with({refused ? "refused" : "admitted"}).add();
}

}  // namespace tunnel
