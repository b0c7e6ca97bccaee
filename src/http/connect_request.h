#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace http {

/// Takes the head of a CONNECT request (RFC 9110, 9.3.6) out of the bytes of one connection.
/// Sans-IO. As lenient as Go's server, whose clients we serve: lines may end in a bare LF.
class ConnectRequestReader {
 public:
  static constexpr std::size_t kHeadBytes = std::size_t{1} << 20;

  struct Outcome {
    std::string target;       // "host:port" as asked for; empty for another method than CONNECT
    unsigned refusal = 0;     // not 0: the status to answer with (400, 405, 431)
    bool keep_alive = false;  // after a refusal another request may follow
    std::string reason;       // of a refusal and the way out, for the log
  };

  void feed(base::Bytes bytes) { pending_ += base::as_text(bytes); }
  /// The next request, or nothing while more bytes are needed.
  std::optional<Outcome> next();
  /// After a CONNECT: the bytes behind the head, which belong to the tunnel.
  std::string take_rest();

 private:
  std::optional<std::string> take_head();

  std::string pending_;
  std::size_t searched_ = 0;  // so much of it holds no end of a head
};

}  // namespace http
