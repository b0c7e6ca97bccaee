#pragma once

#include <span>
#include <string>
#include <string_view>

#include "metrics/registry.h"
#include "tunnel/packet_metrics.h"
#include "tunnel/strategy.h"

namespace tunnel {

/// Why a dial failed, as in the label `reason` of dial_failure_count. One dial may count several
/// times.
enum class DialFailure {
  no_agent,
  error_response,         // the agent could not connect
  unrecognized_response,  // an answer to a dial that nobody waits for
  send_rsp,               // the answer could not be handed to the client
  backend_close,          // the agent's stream ended while dialing
  backend_dial_timeout,
  frontend_close,     // the client went away while dialing
  forbidden,          // ours: a rule of this server keeps the client from there
  counted_elsewhere,  // by the loop that the client is on: no reason of its own
};

/// The two gRPC methods, as in the label `service_method`.
enum class ServiceMethod { proxy, connect };

/// Bytes and dials of one agent id, for people: ours, not konnectivity's. Handles to keep with the
/// agent's stream.
struct AgentTraffic {
  metrics::Counter& bytes_to_agent;    // payload
  metrics::Counter& bytes_from_agent;  // payload
  metrics::Counter& dials;             // requested of this agent
};

/// All series of the tunnel server, with konnectivity's names. Labelled series exist from their
/// first event on, unless said otherwise. Must not outlive the registry. Thread: that of the loop.
class ServerMetrics {
 public:
  ServerMetrics(metrics::Registry& registry, std::span<const Strategy> strategies);

  metrics::Histogram dial_duration;            // seconds: dial requested -> successful answer
  metrics::Histogram frontend_write_duration;  // seconds, each packet written to a client
  metrics::Histogram connection_duration;      // seconds: established -> closed by the agent's side
  metrics::Gauge http_connections;             // open CONNECT requests; 0 from the start
  metrics::Gauge pending_dials;
  metrics::Gauge established_connections;
  metrics::Counter culled_leases;  // 0 from the start
  PacketMetrics packets;

  metrics::Gauge& open_streams(ServiceMethod method);  // grpc_connections
  metrics::Gauge& full_channels(
      ServiceMethod method);  // full_receive_channels: streams that are blocked now
  void dial_failed(DialFailure reason);

  /// The number of keys that `strategy` can choose from: sets ready_backends and, as konnectivity's
  /// last writer wins there, the deprecated ready_backend_connections.
  void set_ready_backends(Strategy strategy, std::size_t keys);

  /// `code` is the HTTP status, "200"; `reason` is Kubernetes' ("NotFound"), empty on success.
  void lease_listed(const std::string& code, const std::string& reason, double seconds);
  void lease_deleted(const std::string& code, const std::string& reason, double seconds);

  /// Ids beyond some ten thousand share the id "other".
  AgentTraffic traffic_of(const std::string& agent_id);
  /// A dial that agent `agent_id` was asked for failed for `reason`, one of a few words.
  void agent_dial_failed(const std::string& agent_id, const std::string& reason);
  /// How a connection ended: "client", "target", "agent_lost", "overflow"; one of a few words.
  void connection_closed(const std::string& reason);
  /// An agent came whose certificate does not name the cluster that it speaks for; it was let in
  /// all the same, or not.
  void identity_violated(bool refused);

 private:
  metrics::Labelled<metrics::Gauge> open_streams_;
  metrics::Labelled<metrics::Gauge> full_channels_;
  metrics::Labelled<metrics::Counter> dial_failures_;
  metrics::Gauge ready_backend_connections_;
  metrics::Labelled<metrics::Gauge> ready_backends_;
  metrics::Labelled<metrics::Counter> lease_deletes_;
  metrics::Labelled<metrics::Counter> lease_lists_;
  metrics::Labelled<metrics::Histogram> lease_delete_latency_;
  metrics::Labelled<metrics::Histogram> lease_list_latency_;
  metrics::Labelled<metrics::Counter> bytes_;
  metrics::Labelled<metrics::Counter> dials_;
  metrics::Labelled<metrics::Counter> agent_dial_errors_;
  metrics::Labelled<metrics::Counter> closed_;
  metrics::Labelled<metrics::Counter> identity_violations_;
};

}  // namespace tunnel
