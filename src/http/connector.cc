#include "http/connector.h"

#include <utility>

#include <fmt/format.h>

#include "async/timeout.h"
#include "http/base64.h"
#include "http/response_parser.h"
#include "net/address.h"
#include "net/dial.h"

namespace http {

using async::Task;
using base::Code;
using base::Result;

namespace {

std::string connect_head(const std::string& authority, const std::string& user_info) {
  auto head = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", authority);
  if (!user_info.empty()) {
    head +=
        fmt::format("Proxy-Authorization: Basic {}\r\n", base64_encode(percent_decode(user_info)));
  }
  return head + "\r\n";
}

/// Reads one byte at a time: whatever follows the head belongs to the tunnel.
Task<void> read_connect_reply(net::Stream& proxy) {
  ResponseParser parser({.without_body = true});
  std::string head;
  while (!parser.head_done()) {
    std::uint8_t byte = 0;
    CO_TRY(const auto count, co_await proxy.read_some({&byte, 1}));
    if (count == 0) co_return base::fail(Code::closed, "the proxy closed the connection");
    head += static_cast<char>(byte);
    CO_TRY(const auto taken, parser.feed(base::as_bytes(head)));
    head.erase(0, taken);
  }
  if (parser.head().status / 100 == 2) co_return Result<void>{};
  co_return base::fail(Code::refused, fmt::format("the proxy answered {} {}", parser.head().status,
                                                  parser.head().reason));
}

}  // namespace

Task<void> connect_through(net::Stream& proxy, std::string authority, std::string user_info) {
  const auto head = connect_head(authority, user_info);
  CO_TRY_VOID(co_await proxy.write_all(base::as_bytes(head)));
  co_return co_await read_connect_reply(proxy);
}

NetConnector::NetConnector(async::Clock& clock, TlsSource* tls, Options options)
    : clock_(clock), tls_(tls), options_(std::move(options)) {}

Task<Connector::Connection> NetConnector::connect() {
  CO_TRY(auto stream, co_await dial());
  if (!options_.origin.tls) co_return Connection{std::move(stream), ""};
  co_return co_await async::with_timeout(clock_, options_.handshake_limit,
                                         "TLS handshake with " + options_.origin.address(),
                                         secure(std::move(stream)));
}

Task<std::unique_ptr<net::Stream>> NetConnector::dial() {
  const auto& target = options_.proxy ? options_.proxy->origin : options_.origin;
  CO_TRY(auto socket,
         co_await net::dial_tcp(clock_, target.address(), options_.dial_limit, options_.liveness));
  auto stream = net::make_socket_stream(std::move(socket));
  if (!options_.proxy) co_return stream;
  auto connected = co_await async::with_timeout(
      clock_, options_.dial_limit, "CONNECT to " + options_.origin.address(),
      connect_through(*stream, options_.origin.address(), options_.proxy->user_info));
  if (!connected) co_return base::fail(connected.error().within("proxy " + target.address()));
  co_return stream;
}

Task<Connector::Connection> NetConnector::secure(std::unique_ptr<net::Stream> transport) {
  CO_TRY(auto context, co_await tls_->tls_context());
  const auto name = options_.server_name.empty() ? options_.origin.host : options_.server_name;
  auto stream =
      co_await net::tls_handshake(std::move(transport), std::move(context), std::string(name));
  if (!stream) co_return base::fail(stream.error().within(options_.origin.address()));
  auto protocol = (*stream)->alpn();
  co_return Connection{std::move(*stream), std::move(protocol)};
}

}  // namespace http
