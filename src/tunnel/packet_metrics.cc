#include "tunnel/packet_metrics.h"

#include <algorithm>

namespace tunnel {
namespace {

constexpr std::array<const char*, 4> kSegmentNames = {"from_client", "to_client", "to_agent",
                                                      "from_agent"};

std::string name_of(Segment segment) { return kSegmentNames[static_cast<std::size_t>(segment)]; }

std::string name_of(std::size_t type, std::size_t unknown) {
  return type >= unknown ? "Unknown" : std::string(wire_name(static_cast<PacketType>(type)));
}

std::size_t index_of(PacketType type, std::size_t unknown) {
  const auto number = static_cast<std::uint64_t>(type);
  return static_cast<std::size_t>(std::min<std::uint64_t>(number, unknown));
}

}  // namespace

PacketMetrics::PacketMetrics(metrics::Registry& registry, const std::string& prefix)
    : packets_(registry.counters(prefix + "stream_packets_total",
                                 "Packets seen, by segment and type.", {"segment", "packet_type"})),
      errors_(registry.counters(prefix + "stream_errors_total",
                                "Errors of streams, by segment, gRPC code and type.",
                                {"segment", "code", "packet_type"}, 1024)) {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const auto segment = static_cast<Segment>(i / kTypes);
    known_[i] = &packets_.with({name_of(segment), name_of(i % kTypes, kTypes - 1)});
  }
}

void PacketMetrics::count(Segment segment, PacketType type) {
  known_[static_cast<std::size_t>(segment) * kTypes + index_of(type, kTypes - 1)]->add();
}

void PacketMetrics::error(Segment segment, std::string_view code, std::optional<PacketType> type) {
  const std::size_t index = type ? index_of(*type, kTypes - 1) : kTypes - 1;
  errors_.with({name_of(segment), std::string(code), name_of(index, kTypes - 1)}).add();
}

}  // namespace tunnel
