#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/stream.h"

namespace tunnel::client {

/// Why a dial through the tunnel failed: what callers may branch on.
enum class Failure {
  no_agent,      // no agent that serves the target is connected to the server
  refused,       // the target refused
  timed_out,     // the target, the agent or the server did not answer in time
  not_allowed,   // the server or the agent forbids it, or wants other credentials
  not_resolved,  // the agent knows no address of the target's name
  unreachable,   // there is no route from the agent to the target
  overloaded,    // server or agent have no descriptors or memory left
  server_gone,   // the server cannot be reached, or was lost
  protocol,      // the server speaks something else than was asked of it
  bad_target,    // not "host:port"
  other,
};
std::string_view to_string(Failure failure);

/// An Error with its kind; the text is for people and says who failed at what.
struct DialError : base::Error {
  DialError(Failure kind_of, std::string text);
  /// Of the way to the server: `server_gone`, or `timed_out`.
  DialError(base::Error cause);  // implicit: rises by TRY

  Failure kind = Failure::other;
};

using DialResult = std::expected<std::unique_ptr<net::Stream>, DialError>;

/// What a frontend said to a dial that it did not carry out. Fields that its protocol does not have
/// are empty.
struct Refusal {
  unsigned status = 0;       // of HTTP
  std::string proxy_status;  // RFC 9209
  std::string text;          // the body, or konnectivity's error
};

/// The text in one line without control characters, however hostile its author.
std::string one_line(std::string_view text);

/// What that means. The text of konnectivity's agents is Go's, which decides where nothing else
/// does.
Failure kind_of(const Refusal& refusal);

/// The error for people. `server` names the frontend that was asked.
DialError explain(const Refusal& refusal, const std::string& target, const std::string& server);

}  // namespace tunnel::client
