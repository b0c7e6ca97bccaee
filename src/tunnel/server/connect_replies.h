#pragma once

#include <string>
#include <string_view>

#include "tunnel/server_metrics.h"

namespace tunnel {

/// What a client that said CONNECT is told when its dial fails: status and text of the reference,
/// on which its clients branch.
struct DialReply {
  unsigned status = 502;
  std::string_view content_type;
  std::string body;
  std::string proxy_status;  // RFC 9209; clients of HTTP/2, which the reference has none of, get it
  bool says_close = false;   // in HTTP/1.1: "Connection: close"
  bool extended = false;  // in HTTP/1.1: with Proxy-Status, for a failure unknown to the reference
};

DialReply dial_reply(DialFailure reason, const std::string& error);

/// The reply in HTTP/1.1, byte for byte that of the reference; empty: it just hangs up.
std::string dial_failure_reply(DialFailure reason, const std::string& error);

}  // namespace tunnel
