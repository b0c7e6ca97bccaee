#pragma once

#include <memory>

#include "tunnel/client/dial.h"

namespace tunnel::client {

/// Dials by CONNECT of HTTP/1.1 (RFC 9110, 9.3.6) on `stream`, a fresh connection to the server
/// that then is the connection to the target.
async::Awaitable<DialResult> dial_http1(std::unique_ptr<net::Stream> stream, Dial dial);

}  // namespace tunnel::client
