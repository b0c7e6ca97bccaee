#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "async/task.h"
#include "http/response_parser.h"
#include "net/stream.h"

namespace http {

/// A connection that the server has switched to another protocol (status 101).
struct UpgradedConnection {
  std::unique_ptr<net::Stream> stream;
  std::string first_bytes;  // of the new protocol, read together with the response
};

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
    /// As ClientResponse::take_upgraded(); without a stream where there is no such thing.
    virtual UpgradedConnection take_upgraded() { return {}; }
  };
  ClientResponse() = default;
  explicit ClientResponse(std::unique_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  unsigned status() const { return head().status; }
  const ResponseHead& head() const { return exchange_->head(); }
  /// The next part of the body, as it came; "" at the end.
  async::Task<std::string> read_part() { return exchange_->read_part(); }
  /// The rest of the body; Code::exhausted when it is longer than `limit` bytes.
  async::Task<std::string> read_all(std::size_t limit);
  /// The connection of an HTTP/1.1 response with status 101; once. It may outlive the client.
  UpgradedConnection take_upgraded() { return exchange_->take_upgraded(); }
  /// `owner`, of the client or what it needs, lives as long as the response.
  void keep(std::shared_ptr<const void> owner) { owner_ = std::move(owner); }

 private:
  std::shared_ptr<const void> owner_;  // goes after the exchange
  std::unique_ptr<Exchange> exchange_;
};

}  // namespace http
