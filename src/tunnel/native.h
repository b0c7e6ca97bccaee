#pragma once

#include <cstdint>
#include <string_view>

#include "async/clock.h"
#include "http/h2_connection.h"

/// What both ends of the native link agree on: docs/protocol.md.
namespace tunnel::native {

inline constexpr std::string_view kAlpn = "cluster-proxy/1";
inline constexpr std::string_view kControlPath = "/cluster-proxy/1/control";

/// The server is never silent for longer.
inline constexpr async::Duration kPingInterval = std::chrono::seconds(5);
/// A peer that said nothing in so many intervals gets no dials, and in so many has gone.
inline constexpr http::H2Connection::Patience kPatience{.silent = 3, .lost = 6};
/// Until `welcome`.
inline constexpr async::Duration kWelcomeWithin = std::chrono::seconds(15);

inline constexpr std::uint32_t kFirstWindow = 64 * 1024;     // bytes, one connection
inline constexpr std::uint32_t kLinkWindow = 1 << 30;        // bytes, all connections, the largest
inline constexpr std::uint32_t kFrame = 64 * 1024;           // bytes, the largest
inline constexpr std::uint32_t kHeaders = 64 * 1024;         // bytes, of a request or an answer
inline constexpr std::size_t kMostLinks = 8;                 // of an agent for a long path
inline constexpr std::uint32_t kConnectionsOfLink = 65'536;  // at the agent

/// The options of either end's session.
inline http::H2Session::Options session_options(http::H2Session::Role role,
                                                const http::H2Session::WindowPolicy& windows,
                                                base::MemoryBudget& budget) {
  http::H2Session::Options options;
  options.role = role;
  options.stream_window = kFirstWindow;
  options.connection_window = kLinkWindow;
  options.max_frame_size = kFrame;
  options.header_limit = kHeaders;
  if (role == http::H2Session::Role::server) options.max_streams = kConnectionsOfLink;
  options.windows = &windows;
  options.budget = &budget;
  return options;
}

}  // namespace tunnel::native
