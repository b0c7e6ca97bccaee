#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/header.h"
#include "tunnel/agent/link_protocol.h"

namespace tunnel {

/// The identity with the contents of its token file, without the newline that editors put at the
/// end. The error names the file and the flag.
base::Result<Introduction> introduce(const AgentIdentity& identity);

/// Under which headers a server says who it is.
struct ServerHeaders {
  std::string_view id;
  std::string_view count;
};
inline constexpr ServerHeaders kKonnectivityServerHeaders{"serverid", "servercount"};
inline constexpr ServerHeaders kNativeServerHeaders{"server-id", "server-count"};

/// The error names the header that is missing or wrong.
base::Result<Welcome> read_welcome(const http::Headers& headers, const ServerHeaders& names);

}  // namespace tunnel
