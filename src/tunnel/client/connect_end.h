#pragma once

#include <memory>

#include "tunnel/client/dial.h"

namespace tunnel::client {

/// Dials by CONNECT on an HTTP/2 connection (RFC 9113, 8.5). Failure::protocol: what answers does
/// not know CONNECT.
async::Awaitable<DialResult> dial_connect(std::shared_ptr<Link> link, Dial dial);

}  // namespace tunnel::client
