#pragma once

#include <string>
#include <string_view>

#include "async/clock.h"
#include "net/stream.h"

namespace tunnel {

/// What a client in mode http-connect asks for.
struct ConnectRequest {
  std::string target;  // "host:port", as the client wrote it
  std::string early;   // bytes of the tunnel that came behind the request
};

/// What a client says first: enough for begins_http2().
async::Task<std::string> read_first(net::Stream& stream);
bool begins_http2(std::string_view first);

/// Reads CONNECT from `stream`; `first` is what the client has said so far. Requests that are none
/// are answered as the reference does; it is an error when no other may follow.
async::Task<ConnectRequest> read_connect_request(net::Stream& stream, std::string first,
                                                 async::Clock& clock);

/// Ends the stream after what was written.
async::Task<void> close_gracefully(net::Stream& stream);

}  // namespace tunnel
