#pragma once

#include <memory>
#include <string>

#include "net/stream.h"
#include "portforward/websocket_frame.h"

namespace portforward {

/// A stream of bytes in the binary messages of a WebSocket, whose handshake is over. `first_bytes`
/// came before what `inner` has.
std::unique_ptr<net::Stream> make_websocket_stream(std::unique_ptr<net::Stream> inner,
                                                   std::string first_bytes);

}  // namespace portforward
