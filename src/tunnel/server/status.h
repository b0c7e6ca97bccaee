#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/clock.h"

/// What a server knows of its links and connections at one moment, as values: for /status.
namespace tunnel {

struct Mishap {
  std::string text;
  async::TimePoint at;
};

/// One link of an agent.
struct LinkStatus {
  std::string cluster;  // by its certificate, else what the agent calls itself
  bool certified = false;
  std::string agent_id;
  std::vector<std::string> identifiers;  // "host=c1"
  std::string kind;                      // "native", "konnectivity"
  std::string peer;                      // address, with the subject of its certificate
  async::TimePoint since;
  std::optional<async::Duration> round_trip;
  std::size_t connections = 0;  // and dials
  std::uint64_t bytes_to_agent = 0;
  std::uint64_t bytes_from_agent = 0;
  std::uint64_t dials = 0;
  std::uint64_t failed_dials = 0;
  bool draining = false;
  bool silent = false;  // owes an answer for seconds
  std::optional<Mishap> last_error;
};

/// A connection, or a dial that waits for its answer.
struct ConnectionStatus {
  std::string id;  // as in the logs of both sides
  std::string client;
  std::string target;
  std::string cluster;
  std::string agent_id;
  async::TimePoint since;
  std::uint64_t bytes_to_agent = 0;
  std::uint64_t bytes_from_agent = 0;
  bool dialing = false;
};

/// The last link that an agent of a cluster lost.
struct DepartureStatus {
  std::string cluster;
  std::string agent_id;
  std::string peer;
  async::TimePoint at;
  std::string reason;  // maybe empty
};

struct ServerStatus {
  std::vector<LinkStatus> links;
  std::vector<DepartureStatus> departures;    // of clusters that may be back
  std::vector<ConnectionStatus> connections;  // as many as were asked for, those with most bytes
  std::size_t connections_total = 0;
};

/// Leaves the `count` that have carried most, those first.
void keep_busiest(std::vector<ConnectionStatus>& connections, std::size_t count);

}  // namespace tunnel
