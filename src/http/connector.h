#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "async/clock.h"
#include "http/url.h"
#include "net/socket_stream.h"
#include "net/stream.h"
#include "net/tls.h"

namespace http {

/// Makes connections to one origin, ready for a request. An interface so that tests fail
/// connections at will.
class Connector {
 public:
  virtual ~Connector() = default;
  virtual const Origin& origin() const = 0;
  struct Connection {
    std::unique_ptr<net::Stream> stream;
    std::string protocol;  // agreed on by ALPN, or ""
  };
  virtual async::Task<Connection> connect() = 0;
};

/// Where the TLS configuration of the next connection comes from: it may change over time, and may
/// have to be fetched.
class TlsSource {
 public:
  virtual ~TlsSource() = default;
  virtual async::Task<std::shared_ptr<const net::TlsContext>> tls_context() = 0;
};

/// Asks the proxy at the other end of `proxy` to connect to `authority` ("host:port") by HTTP
/// CONNECT (RFC 9110, 9.3.6). `user_info` is "user:password", percent-encoded as in a URL, or "".
/// `proxy` must outlive the task.
async::Task<void> connect_through(net::Stream& proxy, std::string authority, std::string user_info);

/// Connects over TCP, through an HTTP proxy if one is given, with TLS when the origin wants it.
class NetConnector : public Connector {
 public:
  struct Options {
    Origin origin;
    std::string server_name;   // the name to verify and to send as SNI; empty = the origin's host
    std::optional<Url> proxy;  // http only: the way to the proxy itself is not encrypted
    async::Duration dial_limit = std::chrono::seconds(30);
    async::Duration handshake_limit = std::chrono::seconds(10);
    net::Liveness liveness;
  };
  /// `clock` and `tls` outlive the connector. `tls` is null for an http origin only.
  NetConnector(async::Clock& clock, TlsSource* tls, Options options);

  const Origin& origin() const override { return options_.origin; }
  async::Task<Connection> connect() override;

 private:
  async::Task<std::unique_ptr<net::Stream>> dial();
  async::Task<Connection> secure(std::unique_ptr<net::Stream> transport);

  async::Clock& clock_;
  TlsSource* tls_;
  Options options_;
};

}  // namespace http
