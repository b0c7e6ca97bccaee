#include "tunnel/client/entrance.h"

#include <utility>

#include <fmt/format.h>

#include "async/timeout.h"
#include "net/address.h"
#include "net/dial.h"

namespace tunnel::client {

using async::Task;

namespace {

std::vector<std::string> alpn_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::http1:
      return {"http/1.1"};
    case Protocol::http2:
    case Protocol::grpc:
      return {"h2"};
    case Protocol::automatic:
      break;
  }
  return {"h2", "http/1.1"};
}

}  // namespace

base::Result<std::unique_ptr<pki::ReloadingTls>> open_tls(const async::Clock& clock,
                                                          const pki::TlsFiles& files,
                                                          Protocol protocol) {
  return pki::ReloadingTls::open(clock, net::TlsContext::Role::client, files,
                                 {.alpn = alpn_of(protocol)});
}

SocketEntrance::SocketEntrance(async::Clock& clock, pki::ReloadingTls* tls, Options options)
    : clock_(clock), tls_(tls), options_(std::move(options)) {}

Task<Entrance::Connection> SocketEntrance::connect() {
  auto made = co_await async::with_timeout(clock_, options_.limit, "no connection", attempt());
  if (made) co_return made;
  co_return base::fail(
      std::move(made).error().within(fmt::format("cannot connect to {}", options_.address)));
}

Task<std::unique_ptr<net::Stream>> SocketEntrance::transport() {
  if (options_.address.starts_with('/')) {
    CO_TRY(net::Socket socket, co_await net::dial_unix(options_.address));
    co_return net::make_socket_stream(std::move(socket));
  }
  CO_TRY(net::Socket socket,
         co_await net::dial_tcp(clock_, options_.address, options_.limit, net::Liveness::link()));
  net::keep_queue_short(socket);
  co_return net::make_socket_stream(std::move(socket));
}

Task<Entrance::Connection> SocketEntrance::attempt() {
  CO_TRY(auto stream, co_await transport());
  if (tls_ == nullptr) co_return Connection{std::move(stream), "", false};
  std::string name = options_.server_name;
  if (name.empty()) {
    CO_TRY(const net::HostPort server, net::parse_host_port(options_.address));
    name = server.host;
  }
  CO_TRY(auto secured,
         co_await net::tls_handshake(std::move(stream), tls_->current(), std::move(name)));
  std::string alpn = secured->alpn();
  co_return Connection{std::move(secured), std::move(alpn), true};
}

}  // namespace tunnel::client
