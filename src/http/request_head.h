#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>

namespace http {

/// A request without its body.
using RequestHead = boost::beast::http::request<boost::beast::http::empty_body>;

/// Reads the complete head of an HTTP/1.1 request (RFC 9112), up to the empty line, of at most
/// `limit` bytes; nothing when it is none. Any thread.
std::optional<RequestHead> parse_request_head(const std::string& head, std::size_t limit);

}  // namespace http
