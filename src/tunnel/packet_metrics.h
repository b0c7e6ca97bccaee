#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/registry.h"
#include "tunnel/packet.h"

namespace tunnel {

/// Where a packet was seen. "client" is the frontend's side.
enum class Segment { from_client, to_client, to_agent, from_agent };

/// The series stream_packets_total and stream_errors_total under a prefix. Counting a packet costs
/// no look-up.
class PacketMetrics {
 public:
  PacketMetrics(metrics::Registry& registry, const std::string& prefix);

  /// Counted before the packet is written. A type that the protocol does not know counts as
  /// "Unknown".
  void count(Segment segment, PacketType type);
  /// A stream failed: `code` is Go's name of the gRPC status ("Unavailable"). Reads have no type.
  /// The end of a stream is not an error.
  void error(Segment segment, std::string_view code, std::optional<PacketType> type);

 private:
  static constexpr std::size_t kSegments = 4;
  static constexpr std::size_t kTypes = 8;  // the last one stands for all unknown ones

  metrics::Labelled<metrics::Counter> packets_;
  metrics::Labelled<metrics::Counter> errors_;
  std::array<metrics::Counter*, kSegments * kTypes> known_{};
};

}  // namespace tunnel
