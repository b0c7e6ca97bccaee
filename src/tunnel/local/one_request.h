#pragma once

#include <memory>

#include "http/request_body.h"
#include "net/stream.h"

namespace tunnel::local {

/// A client's connection that ends, for who reads it, with the request whose head was read before:
/// the next one may be for another origin (RFC 9112, 9.6). Thread: that of the loop.
std::unique_ptr<net::Stream> make_one_request(std::unique_ptr<net::Stream> client,
                                              http::RequestBody body);

}  // namespace tunnel::local
