#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "async/clock.h"
#include "http/connector.h"
#include "http/response_parser.h"
#include "net/stream.h"

namespace http {

/// A request as a value. Host, Content-Length and Connection are added when it is sent.
struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  // path and query
  std::vector<HeaderField> fields;
  std::string body;
  /// May be sent twice: when a kept-alive connection turns out dead before any byte of the
  /// response. GET and HEAD always may.
  bool repeatable = false;

  /// The value of the first field of that name, in any case, or "".
  std::string_view find(std::string_view name) const;
  void set(std::string name, std::string value);
};

/// The request as it goes over the wire to `origin`.
base::Result<std::string> encode(const ClientRequest& request, const Origin& origin);

class Client;

/// A response whose head has come, and whose body is read as it comes. The connection returns to
/// its client once the body was read to the end; otherwise it closes with the response. The client
/// outlives it.
class ClientResponse {
 public:
  ClientResponse();
  ClientResponse(ClientResponse&&) noexcept;
  ClientResponse& operator=(ClientResponse&&) noexcept;
  ~ClientResponse();

  unsigned status() const;
  const ResponseHead& head() const;
  /// The next part of the body, as it came; "" at the end.
  async::Task<std::string> read_part();
  /// The rest of the body; Code::exhausted when it is longer than `limit` bytes.
  async::Task<std::string> read_all(std::size_t limit);

 private:
  friend class Client;
  struct Exchange;
  explicit ClientResponse(std::unique_ptr<Exchange> exchange);
  std::unique_ptr<Exchange> exchange_;
};

/// Sends requests to one origin over HTTP/1.1, keeping connections alive between them.
///
/// Any number of requests may be under way, each on a connection of its own. There is no time limit
/// here: wrap send() and the reads into async::with_timeout(). Thread: that of the loop.
class Client {
 public:
  struct Options {
    std::size_t max_idle = 4;
    // Below the 90 s after which a kube-apiserver hangs up.
    async::Duration idle_limit = std::chrono::seconds(60);
    std::size_t max_head_bytes = 64 * 1024;
  };
  /// `clock` and `connector` outlive the client.
  Client(async::Clock& clock, Connector& connector, Options options);
  Client(async::Clock& clock, Connector& connector) : Client(clock, connector, Options()) {}

  /// Returns when the head of the response has come. Cancelling closes the connection.
  async::Task<ClientResponse> send(ClientRequest request);
  /// Closes the idle connections, so that the next requests make new ones: credentials have
  /// changed.
  void drop_idle() { idle_.clear(); }
  std::size_t idle() const { return idle_.size(); }

 private:
  friend class ClientResponse;
  struct Idle {
    std::unique_ptr<net::Stream> stream;
    async::TimePoint until;
  };
  std::unique_ptr<net::Stream> take_idle();
  void keep(std::unique_ptr<net::Stream> stream);
  using ExchangePtr = std::unique_ptr<ClientResponse::Exchange>;
  async::Task<ExchangePtr> exchange(std::unique_ptr<net::Stream> stream, const std::string& wire,
                                    bool head_only, bool* answered);

  async::Clock& clock_;
  Connector& connector_;
  Options options_;
  std::vector<Idle> idle_;
};

}  // namespace http
