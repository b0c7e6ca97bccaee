#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace http {

/// Takes the head of a request to a forward proxy (RFC 9110, 7) out of the bytes of one connection:
/// CONNECT, or another method with an absolute http URL. Sans-IO.
class ProxyRequestReader {
 public:
  static constexpr std::size_t kHeadBytes = 64 * 1024;

  struct Outcome {
    std::string target;       // "host:port" to connect to
    std::string forwarded;    // the head for the origin; empty for CONNECT
    bool upgrade = false;     // the client asks to speak something else after it
    std::string credentials;  // of Basic authentication, "user:password", or ""
    unsigned refusal = 0;     // not 0: the status to answer with
    std::string reason;       // of a refusal
  };

  void feed(base::Bytes bytes) { pending_ += base::as_text(bytes); }
  /// The request, once its head is there; nothing while more bytes are needed.
  std::optional<Outcome> next();
  /// The bytes behind the head.
  std::string take_rest();

 private:
  std::string pending_;
};

/// A whole answer of a proxy to a request that it does not carry out; the connection ends after it.
std::string proxy_refusal(unsigned status, const std::string& text);

}  // namespace http
