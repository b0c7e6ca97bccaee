#include "portforward/dialer.h"

#include <fmt/format.h>

#include "base/log.h"
#include "http/url.h"
#include "portforward/websocket_frame.h"
#include "portforward/websocket_stream.h"

namespace portforward {

using async::Task;
using base::Code;
using base::fail;

namespace {

constexpr std::string_view kProtocol = "portforward.k8s.io";
constexpr std::string_view kTunnelProtocol = "SPDY/3.1+portforward.k8s.io";

http::ClientRequest upgrade_request(std::string method, std::string target, std::string protocol) {
  // A request that opens something may be repeated on a fresh connection.
  http::ClientRequest request{
      .method = std::move(method), .target = std::move(target), .repeatable = true};
  request.set("Connection", "Upgrade");
  request.set("Upgrade", std::move(protocol));
  return request;
}

std::string describe(const http::ResponseHead& head) {
  return fmt::format("the API server answered {} {}", head.status, head.reason);
}

base::Error plain(const kube::Error& error) { return error; }

/// What another way of asking would not change.
bool is_final(const base::Error& error) {
  return error.is(Code::not_found) || error.is(Code::timeout) || error.is(Code::refused);
}

}  // namespace

Task<http::UpgradedConnection> ApiDialer::dial(PodName pod) {
  const auto path =
      fmt::format("/api/v1/namespaces/{}/pods/{}/portforward",
                  http::percent_encode(pod.in_namespace), http::percent_encode(pod.name));
  if (transport_ != Transport::spdy) {
    auto connection = co_await dial_websocket(path);
    if (connection) {
      transport_ = Transport::websocket;
      LOG_INFO("connected to a pod", {"pod", pod.name}, {"transport", "websocket"});
      co_return connection;
    }
    if (is_final(connection.error())) co_return connection;
    LOG_DEBUG("no WebSocket for port forwarding, trying SPDY", {"error", connection.error()});
  }
  auto connection = co_await dial_spdy(path);
  if (connection) {
    transport_ = Transport::spdy;
    LOG_INFO("connected to a pod", {"pod", pod.name}, {"transport", "spdy"});
  }
  co_return connection;
}

Task<http::UpgradedConnection> ApiDialer::dial_websocket(std::string path) {
  auto request = upgrade_request("GET", std::move(path), "websocket");
  const auto key = websocket_key();
  request.set("Sec-WebSocket-Version", "13");
  request.set("Sec-WebSocket-Key", key);
  request.set("Sec-WebSocket-Protocol", std::string(kTunnelProtocol));
  auto response = co_await client_.open(std::move(request));
  if (!response) co_return fail(plain(response.error()));
  const auto& head = response->head();
  if (head.status != 101) co_return fail(Code::unavailable, describe(head));
  if (head.find("Sec-WebSocket-Accept") != websocket_accept(key) ||
      head.find("Sec-WebSocket-Protocol") != kTunnelProtocol) {
    co_return fail(Code::unavailable, "the API server does not tunnel SPDY in WebSockets");
  }
  auto upgraded = response->take_upgraded();
  auto stream = make_websocket_stream(std::move(upgraded.stream), std::move(upgraded.first_bytes));
  co_return http::UpgradedConnection{std::move(stream), {}};
}

Task<http::UpgradedConnection> ApiDialer::dial_spdy(std::string path) {
  auto request = upgrade_request("POST", std::move(path), "SPDY/3.1");
  request.set("X-Stream-Protocol-Version", std::string(kProtocol));
  auto response = co_await client_.open(std::move(request));
  if (!response) co_return fail(plain(response.error()));
  if (response->status() != 101) co_return fail(Code::unavailable, describe(response->head()));
  co_return response->take_upgraded();
}

}  // namespace portforward
