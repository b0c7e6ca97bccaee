#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/header.h"

namespace tunnel {

/// The headers of an answer to a CONNECT whose dial failed with `error`: a status and Proxy-Status
/// (RFC 9209), whose details are the error's text.
http::Headers dial_failure_headers(const base::Error& error);

/// The Proxy-Status field value by which `who`, a token, says that a dial failed with `error`.
std::string proxy_status(std::string_view who, const base::Error& error);
/// The same for a failure of this type (RFC 9209, 2.3).
std::string proxy_status(std::string_view who, std::string_view type, std::string_view details);

/// The text of the dial error in the headers of such an answer.
std::string dial_failure_text(const http::Headers& headers);

/// The parameter `name` of a Proxy-Status field value, unquoted; empty when it is not there.
std::string proxy_status_parameter(std::string_view value, std::string_view name);

}  // namespace tunnel
