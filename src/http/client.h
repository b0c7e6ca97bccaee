#pragma once

#include <memory>
#include <string>

#include "async/clock.h"
#include "http/client_request.h"
#include "http/client_response.h"
#include "http/connector.h"
#include "http/h1_connections.h"
#include "http/h2_client.h"

namespace http {

/// Sends requests to one origin, over HTTP/2 when the connector's TLS offers it and the server
/// takes it, else over HTTP/1.1.
///
/// With HTTP/2 one connection carries all requests. When the server lets it end (GOAWAY), the next
/// requests go over a new one, and what the server says it has not begun is sent again there. With
/// HTTP/1.1 each request under way has a connection of its own, which is then kept for the next.
/// There is no time limit here: wrap send() and the reads into async::with_timeout(). Thread: that
/// of the loop that runs send().
class Client {
 public:
  struct Options {
    H1Connections::Options h1;
    H2Client::Options h2;
  };
  /// `clock` and `connector` outlive the client; the client outlives its responses and the tasks
  /// that use it.
  Client(async::Clock& clock, Connector& connector, Options options);
  Client(async::Clock& clock, Connector& connector) : Client(clock, connector, Options()) {}
  ~Client();

  /// Returns when the head of the response has come. Cancelling gives the request up.
  async::Task<ClientResponse> send(ClientRequest request);
  /// The next requests make new connections: credentials have changed. Responses under way go on.
  void renew_connections();
  /// HTTP/1.1 connections that wait for a request.
  std::size_t idle() const { return h1_.idle(); }

 private:
  struct Dialing;
  using H2Ptr = std::shared_ptr<H2Client>;
  async::Task<H2Ptr> multiplexed();
  async::Task<void> dial_first();
  async::Task<void> connect_first();
  async::Task<ClientResponse> send_alone(ClientRequest request);
  async::Task<void> prepare_repeat(H2Ptr used, H2RequestError error, bool may_repeat, int repeats);
  void adopt(async::Executor executor, std::unique_ptr<net::Stream> stream);

  async::Clock& clock_;
  Connector& connector_;
  Options options_;
  H1Connections h1_;
  H2Ptr h2_;
  bool one_at_a_time_;  // the server spoke HTTP/1.1 last
  unsigned renewals_ = 0;
  std::shared_ptr<Dialing> dialing_;
};

}  // namespace http
