#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/header.h"
#include "http/url.h"

namespace http {

/// A request as a value. Host, Content-Length and Connection are added when it is sent.
struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  // path and query
  std::vector<HeaderField> fields;
  std::string body;
  /// May be sent twice: when a connection turns out dead before any byte of the response. GET and
  /// HEAD always may.
  bool repeatable = false;

  /// The value of the first field of that name, in any case, or "".
  std::string_view find(std::string_view name) const;
  void set(std::string name, std::string value);
  bool may_repeat() const { return repeatable || method == "GET" || method == "HEAD"; }
};

/// Code::invalid when the request has a byte that would end the line, or the word, it stands in.
base::Result<void> check_request(const ClientRequest& request);

/// The request as it goes over an HTTP/1.1 connection to `origin`. It has passed
/// check_request().
std::string encode(const ClientRequest& request, const Origin& origin);

/// The header fields of the request on an HTTP/2 stream (RFC 9113, 8.2 and 8.3): names in lower
/// case, and none that speak about an HTTP/1.1 connection.
Headers h2_headers(const ClientRequest& request, const Origin& origin);

}  // namespace http
