#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "async/clock.h"
#include "net/resolver.h"
#include "net/socket_stream.h"

namespace net {

/// Connects to "host:port", trying each address of the host: one attempt every 250 ms or at once
/// after a failure, the families alternating (RFC 8305), first success wins. `limit` bounds the
/// whole, name resolution included.
///
/// Texts of errors are Go's, which peers of konnectivity look for: "dial tcp 127.0.0.1:1: connect:
/// connection refused", "dial tcp: lookup NAME: no such host", "dial tcp 198.18.0.254:1: i/o
/// timeout". Cancelling the task ends it at once. `family` leaves out the addresses of the other
/// one.
async::Task<Socket> dial_tcp(async::Clock& clock, std::string address, async::Duration limit,
                             Liveness liveness, Family family = Family::any);

/// Connects to the Unix socket `path`.
async::Task<Socket> dial_unix(std::string path);

}  // namespace net
