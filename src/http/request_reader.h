#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "async/clock.h"
#include "base/bytes.h"
#include "http/routes.h"

namespace http {

/// Takes requests of HTTP/1.0 and 1.1 out of the bytes of one connection. Sans-IO.
class RequestReader {
 public:
  struct Limits {
    std::size_t head_bytes;
    std::size_t body_bytes;
  };
  struct Outcome {
    ServerRequest request;
    bool keep_alive = false;
    unsigned refusal = 0;  // not 0: the status to answer with, after which the connection ends
  };

  explicit RequestReader(Limits limits);
  ~RequestReader();

  void feed(base::Bytes bytes) { pending_ += base::as_text(bytes); }
  /// The next whole request, or nothing while more bytes are needed. Its body is dropped.
  std::optional<Outcome> next();

 private:
  struct Parser;

  Limits limits_;
  std::string pending_;             // fed, not yet taken by the parser
  std::unique_ptr<Parser> parser_;  // of the request that has begun
};

/// The time of `clock` as HTTP writes it (RFC 9110, 5.6.7).
std::string http_date(const async::Clock& clock);

/// `response` as it goes over the wire. `date` is that of the field Date.
std::string encode_response(const ServerResponse& response, bool head_only, bool keep_alive,
                            const std::string& date);

}  // namespace http
