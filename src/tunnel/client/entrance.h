#pragma once

#include <memory>
#include <string>

#include "async/clock.h"
#include "net/stream.h"
#include "pki/reloading_tls.h"

namespace tunnel::client {

/// What is spoken at a frontend.
enum class Protocol {
  automatic,  // found out: by ALPN, and by what the server answers
  http1,      // HTTP/1.1 CONNECT: one connection a dial
  http2,      // HTTP/2 CONNECT: one connection for all dials
  grpc,       // konnectivity's
};

/// Makes connections to one frontend. An interface so that tests connect as they like.
class Entrance {
 public:
  virtual ~Entrance() = default;

  struct Connection {
    std::unique_ptr<net::Stream> stream;
    std::string alpn;  // the protocol that TLS has agreed on, or ""
    bool tls = false;
  };
  virtual async::Task<Connection> connect() = 0;
  /// The frontend for errors: "hub:8090", "/run/proxy.sock".
  virtual const std::string& name() const = 0;
};

/// A frontend on TCP or on a Unix socket, with TLS or without.
class SocketEntrance : public Entrance {
 public:
  struct Options {
    std::string address;      // "host:port", or the path of a Unix socket, which begins with '/'
    std::string server_name;  // that the certificate has to carry; "" = the host of `address`
    async::Duration limit = std::chrono::seconds(10);  // for all of a connection
  };
  /// `tls` is null for a frontend in the clear. The references outlive the object.
  SocketEntrance(async::Clock& clock, pki::ReloadingTls* tls, Options options);

  async::Task<Connection> connect() override;
  const std::string& name() const override { return options_.address; }

 private:
  async::Task<Connection> attempt();
  async::Task<std::unique_ptr<net::Stream>> transport();

  async::Clock& clock_;
  pki::ReloadingTls* tls_;
  Options options_;
};

/// The TLS configuration of a client that speaks `protocol`; see pki::ReloadingTls::open().
base::Result<std::unique_ptr<pki::ReloadingTls>> open_tls(const async::Clock& clock,
                                                          const pki::TlsFiles& files,
                                                          Protocol protocol);

}  // namespace tunnel::client
