#pragma once

#include <memory>

#include "tunnel/client/dial.h"

namespace tunnel::client {

/// Dials by konnectivity's gRPC call /ProxyService/Proxy on an HTTP/2 connection: one call a
/// connection.
///
/// konnectivity knows no half of an end. After shutdown_write() the target's direction stays open
/// until the target ends it or was silent for 30 s; then the connection is closed.
async::Awaitable<DialResult> dial_grpc(std::shared_ptr<Link> link, Dial dial);

}  // namespace tunnel::client
