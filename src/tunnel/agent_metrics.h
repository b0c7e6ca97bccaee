#pragma once

#include <string>

#include "metrics/registry.h"
#include "tunnel/packet_metrics.h"

namespace tunnel {

enum class ServerDirection { to_server, from_server };

/// All series of the tunnel agent, with konnectivity's names. Labelled series exist from their
/// first event on, unless said otherwise. Must not outlive the registry. Thread: that of the loop.
class AgentMetrics {
 public:
  explicit AgentMetrics(metrics::Registry& registry);

  metrics::Histogram dial_duration;          // seconds, successful dials of targets
  metrics::Gauge open_server_connections;    // appears with the first connection
  metrics::Gauge known_server_count;         // 0 from the start
  metrics::Gauge open_endpoint_connections;  // appears with the first connection
  PacketMetrics packets;                     // segments to_agent (received) and from_agent (sent)
  metrics::Counter dials;                    // ours: requests to dial a target
  metrics::Counter destinations_refused;     // ours: dials that a rule of the agent forbids
  metrics::Counter bytes_to_target;          // ours: payload
  metrics::Counter bytes_from_target;        // ours: payload

  void server_failed(ServerDirection direction);
  /// konnectivity knows two reasons: timeout, and unknown for all else.
  void endpoint_dial_failed(bool timeout);

  /// `code` is the HTTP status, "200"; `reason` is Kubernetes', empty on success.
  void lease_listed(const std::string& code, const std::string& reason, double seconds);
  void lease_watched(const std::string& code, const std::string& reason);

  /// How a connection ended: "client", "target", "server_lost", "overflow"; one of a few words.
  void connection_closed(const std::string& reason);

 private:
  AgentMetrics(metrics::Registry& registry, metrics::Labelled<metrics::Counter> bytes);

  metrics::Labelled<metrics::Counter> server_failures_;
  metrics::Labelled<metrics::Counter> dial_failures_;
  metrics::Labelled<metrics::Counter> lease_lists_;
  metrics::Labelled<metrics::Counter> lease_watches_;
  metrics::Labelled<metrics::Histogram> lease_list_latency_;
  metrics::Labelled<metrics::Counter> closed_;
};

}  // namespace tunnel
