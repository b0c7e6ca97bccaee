#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <boost/asio/generic/stream_protocol.hpp>

#include "net/stream.h"

namespace net {

using Socket =
    boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol, async::Executor>;

/// How soon the kernel finds out that the other machine is gone.
struct Liveness {
  std::chrono::seconds idle{15};                // TCP_KEEPIDLE and TCP_KEEPINTVL
  int probes = 9;                               // TCP_KEEPCNT
  std::chrono::milliseconds unacknowledged{0};  // TCP_USER_TIMEOUT; 0 = the system's default
  std::chrono::milliseconds retransmit{0};      // TCP_RTO_MAX_MS (Linux 6.15); 0 = the same

  /// For links: that the line has healed is known within seconds, that it will not within half a
  /// minute.
  static Liveness link();
};

/// Sets TCP_NODELAY and the keepalive of `liveness`, and stops pacing where the path is short (see
/// net/pacing.h). For a connected socket; does nothing on a Unix socket.
void tune(Socket& socket, const Liveness& liveness);

/// For a socket that carries many streams: few bytes may wait in the system before they are sent
/// (TCP_NOTSENT_LOWAT), so that what is urgent is not behind megabytes of what is not.
void keep_queue_short(Socket& socket);

/// A Stream on a connected TCP or Unix socket.
std::unique_ptr<Stream> make_socket_stream(Socket socket);

/// The name of a connected socket's other end, as Stream::peer().
std::string peer_name(const Socket& socket);

}  // namespace net
