#pragma once

#include <string>

#include "net/dial.h"
#include "tunnel/agent/context.h"

namespace tunnel {

/// What a server asks the agent to dial.
struct TargetRequest {
  std::string network;  // tcp, tcp4, tcp6
  std::string address;  // "host:port"
  std::string id;       // the number in the logs of both sides
  std::string server;   // who asks
};

inline constexpr async::Duration kTargetDialLimit = std::chrono::seconds(5);

/// Dials the target by `dial`, which its owner may stop. Texts of errors are those of
/// konnectivity's agent. All references outlive the task.
async::Task<net::Socket> dial_target(AgentContext& context, const TargetRequest& request,
                                     net::Dial& dial);

/// Closes the socket. A target that `still_writes` is given a moment to see the end: closing with
/// bytes unread resets the connection, which can cost it bytes that it has not read yet (RFC 1122,
/// section 4.2.2.13).
async::Task<void> close_target(async::Clock& clock, net::Stream& socket, bool still_writes);

/// How a connection to a target went, for the access log and the metrics.
struct TargetEnd {
  std::string_view how;  // one of a few words: "client", "target", "server_lost" ...
  std::string error;
  std::uint64_t sent = 0;      // payload to the target
  std::uint64_t received = 0;  // payload from it
};

/// One line of the access log, if there is one.
void log_target(const AgentContext& context, std::string_view message, const TargetRequest& request,
                async::TimePoint started, const TargetEnd& end);

}  // namespace tunnel
