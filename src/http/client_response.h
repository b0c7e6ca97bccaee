#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "async/task.h"
#include "http/response_parser.h"

namespace http {

/// A response whose head has come, and whose body is read as it comes. Whoever drops it before the
/// end gives the rest up: over HTTP/1.1 that closes the connection, over HTTP/2 one stream. The
/// client outlives it. Thread: that of the client's loop.
class ClientResponse {
 public:
  /// What a protocol does for it. Destroying it gives the rest up.
  class Exchange {
   public:
    virtual ~Exchange() = default;
    virtual const ResponseHead& head() const = 0;
    /// As ClientResponse::read_part().
    virtual async::Task<std::string> read_part() = 0;
  };
  ClientResponse() = default;
  explicit ClientResponse(std::unique_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  unsigned status() const { return head().status; }
  const ResponseHead& head() const { return exchange_->head(); }
  /// The next part of the body, as it came; "" at the end.
  async::Task<std::string> read_part() { return exchange_->read_part(); }
  /// The rest of the body; Code::exhausted when it is longer than `limit` bytes.
  async::Task<std::string> read_all(std::size_t limit);

 private:
  std::unique_ptr<Exchange> exchange_;
};

}  // namespace http
