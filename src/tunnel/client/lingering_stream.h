#pragma once

#include <memory>

#include "async/clock.h"
#include "net/stream.h"

namespace tunnel::client {

/// How long a target may be silent after the end of what it was sent, where its server knows no
/// half of an end.
inline constexpr async::Duration kSilenceAfterEnd = std::chrono::seconds(30);

/// A Stream through a server that takes any end for that of the whole connection, and drops what is
/// on its way then, as konnectivity's does over HTTP CONNECT. shutdown_write() is kept back until
/// the target was silent for long; then the connection is closed. `clock` outlives it.
std::unique_ptr<net::Stream> make_lingering_stream(std::unique_ptr<net::Stream> inner,
                                                   async::Clock& clock);

}  // namespace tunnel::client
