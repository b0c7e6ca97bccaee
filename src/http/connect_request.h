#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace http {

/// Takes the head of a CONNECT request (RFC 9110, 9.3.6) out of the bytes of one connection.
/// Sans-IO.
class ConnectRequestReader {
 public:
  static constexpr std::size_t kHeadBytes = std::size_t{1} << 20;

  struct Outcome {
    std::string target;       // "host:port" as asked for; empty for another method than CONNECT
    unsigned refusal = 0;     // not 0: the status to answer with (400, 405, 431)
    bool keep_alive = false;  // after a refusal another request may follow
  };

  ConnectRequestReader();
  ~ConnectRequestReader();

  void feed(base::Bytes bytes) { pending_ += base::as_text(bytes); }
  /// The next request, or nothing while more bytes are needed.
  std::optional<Outcome> next();
  /// After a CONNECT: the bytes behind the head, which belong to the tunnel.
  std::string take_rest();
  bool empty() const { return pending_.empty(); }

 private:
  struct Parser;
  std::string pending_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace http
