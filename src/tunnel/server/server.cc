#include "tunnel/server/server.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "async/timeout.h"
#include "base/log.h"
#include "net/socket_stream.h"
#include "tunnel/native.h"
#include "tunnel/server/connect_frontend.h"
#include "tunnel/server/native_backend.h"
#include "tunnel/server/stream_frontend.h"

namespace tunnel {
namespace {

using async::Task;
using base::Code;
using base::fail;
using base::Result;
using namespace async::asio::experimental::awaitable_operators;

constexpr async::Duration kHandshakeWithin = std::chrono::seconds(20);
constexpr async::Duration kPingPatience = std::chrono::seconds(20);
// How long the first bytes of a target may wait for the client's first word (see ProxyStream).
constexpr async::Duration kGreetingDelay = std::chrono::milliseconds(100);
// How long a silent target may go on after the end of its client, where links know no half of one.
constexpr async::Duration kHalfCloseLinger = std::chrono::seconds(30);
// How long a target may go on after a client of the gRPC frontend has closed.
constexpr async::Duration kCloseLinger = std::chrono::seconds(5);
constexpr async::Duration kFirstWordWithin = std::chrono::seconds(60);
constexpr std::string_view kH2Preface = "PRI * HTTP/2.0";
constexpr async::Duration kLookAgain = std::chrono::milliseconds(50);

// An agent's stream carries all its connections; what may be under way on it bounds what a slow
// reader can pile up.
constexpr http::H2Session::Options kAgentWindows{.role = http::H2Session::Role::server,
                                                 .stream_window = 4 << 20,
                                                 .connection_window = 16 << 20,
                                                 .max_frame_size = 256 << 10};
constexpr http::H2Session::Options kClientWindows{.role = http::H2Session::Role::server,
                                                  .stream_window = 1 << 20,
                                                  .connection_window = 16 << 20,
                                                  .max_frame_size = 256 << 10};

std::uint32_t largest_window(std::size_t limit) {
  return static_cast<std::uint32_t>(
      std::clamp<std::size_t>(limit, native::kFirstWindow, std::size_t{1} << 30));
}

// What a client says first: enough to tell HTTP/2 from HTTP/1.1.
Task<std::string> read_first(net::Stream& stream) {
  std::string first;
  while (first.size() < kH2Preface.size() && kH2Preface.starts_with(first)) {
    CO_TRY_VOID(co_await stream.wait_readable());
    std::array<std::uint8_t, 4096> block;
    CO_TRY(const std::size_t count, co_await stream.read_some(block));
    if (count == 0) co_return fail(Code::closed, "client left before its request");
    first += base::as_text({block.data(), count});
  }
  co_return first;
}

void log_end(std::string_view who, const std::string& name, const Result<void>& result) {
  if (result || result.error().is(Code::cancelled)) return;
  const bool ordinary = result.error().is(Code::closed);
  if (ordinary) {
    LOG_DEBUG("connection over", {"of", who}, {"from", name}, {"reason", result.error()});
  } else {
    LOG_INFO("connection failed", {"of", who}, {"from", name}, {"error", result.error()});
  }
}

}  // namespace

Server::Server(async::Loop& loop, async::Clock& clock, ServerMetrics& metrics,
               base::MemoryBudget& budget, ServerOptions options)
    : clock_(clock),
      options_(std::move(options)),
      router_(options_.strategies, metrics),
      stall_watch_(clock),
      greeting_delay_(loop.get_executor(), clock, kGreetingDelay),
      half_close_linger_(loop.get_executor(), clock, kHalfCloseLinger),
      close_linger_(loop.get_executor(), clock, kCloseLinger),
      grown_windows_(options_.memory_limit / 2),
      windows_{clock, grown_windows_, largest_window(options_.window_limit)},
      context_{clock,
               loop.get_executor(),
               metrics,
               budget,
               router_,
               stall_watch_,
               nullptr,
               greeting_delay_,
               half_close_linger_,
               close_linger_,
               windows_,
               options_.connection_limit,
               options_.access_log},
      upkeep_(loop.get_executor()),
      accepting_(loop.get_executor()),
      clients_(loop.get_executor()),
      agents_(loop.get_executor()) {
  if (options_.dial_timeout.count() > 0) {
    dial_deadlines_.emplace(loop.get_executor(), clock, options_.dial_timeout);
    context_.dial_deadlines = &*dial_deadlines_;
    upkeep_.spawn("dial deadlines", dial_deadlines_->run());
  }
  upkeep_.spawn("greeting delay", greeting_delay_.run());
  upkeep_.spawn("half-close linger", half_close_linger_.run());
  upkeep_.spawn("close linger", close_linger_.run());
  upkeep_.spawn("stall watch", stall_watch_.run());
}

Server::~Server() = default;

void Server::serve_agents(std::unique_ptr<net::Listener> listener, TlsSource tls) {
  open({std::move(listener), std::move(tls), &Server::serve_agent, &agents_, "agent"});
}

void Server::serve_clients(std::unique_ptr<net::Listener> listener, FrontendMode mode,
                           TlsSource tls) {
  const Serve serve = mode == FrontendMode::http_connect ? &Server::serve_connect_client
                                                         : &Server::serve_grpc_client;
  open({std::move(listener), std::move(tls), serve, &clients_, "client"});
}

void Server::open(Door door) {
  doors_.push_back(std::make_unique<Door>(std::move(door)));
  accepting_.spawn("accept", accept_all(*doors_.back()));
}

Task<void> Server::accept_all(Door& door) {
  for (;;) {
    CO_TRY(auto socket, co_await door.listener->accept());
    net::tune(socket, net::Liveness::link());
    door.connections->spawn("connection", welcome(door, std::move(socket)));
  }
}

Task<void> Server::welcome(Door& door, net::Socket socket) {
  Visitor visitor{.stream = net::make_socket_stream(std::move(socket))};
  std::string name = visitor.stream->peer();
  if (door.tls) {
    auto secured =
        co_await async::with_timeout(clock_, kHandshakeWithin, "TLS handshake",
                                     net::tls_handshake(std::move(visitor.stream), door.tls(), ""));
    if (!secured) {
      log_failed_handshake(door, name, std::move(secured).error());
      co_return Result<void>{};
    }
    if (const std::string subject = (*secured)->peer_subject(); !subject.empty())
      name = fmt::format("{}({})", subject, name);
    visitor.protocol = (*secured)->alpn();
    visitor.stream = std::move(*secured);
  }
  visitor.name = name;
  log_end(door.who, name, co_await (this->*door.serve)(std::move(visitor)));
  co_return Result<void>{};
}

void Server::log_failed_handshake(const Door& door, const std::string& name, base::Error error) {
  if (error.is(Code::closed) && hang_ups_.due(name, clock_.now())) {
    LOG_INFO(
        "peer hung up in the TLS handshake; this is what port checks of load balancers do, and "
        "peers that distrust our certificate; further ones of this source are not told for 5 min",
        {"of", door.who}, {"from", name}, {"reason", error});
    return;
  }
  log_end(door.who, name, base::fail(std::move(error)));
}

Task<void> Server::serve_agent(Visitor visitor) {
  if (visitor.protocol == native::kAlpn) {
    NativeBackend link(context_, options_.admission, std::move(visitor.stream),
                       std::move(visitor.name));
    co_return co_await link.run();
  }
  AgentConnection handler(context_, options_.admission, agents_, std::move(visitor.name));
  co_return co_await run_h2(std::move(visitor.stream), handler, kAgentWindows,
                            options_.agent_keepalive);
}

Task<void> Server::serve_grpc_client(Visitor visitor) {
  ClientConnection handler(context_, std::move(visitor.name));
  co_return co_await run_h2(std::move(visitor.stream), handler, kClientWindows,
                            options_.client_keepalive);
}

// HTTP/2 is spoken where TLS has agreed on it, and in the clear to those who begin with its
// preface.
Task<void> Server::serve_connect_client(Visitor visitor) {
  std::string first;
  if (visitor.protocol.empty()) {
    CO_TRY(first, co_await async::with_timeout(clock_, kFirstWordWithin, "request",
                                               read_first(*visitor.stream)));
  }
  if (visitor.protocol == "h2" || first.starts_with(kH2Preface)) {
    ConnectStreams handler(context_, std::move(visitor.name));
    co_return co_await run_h2(
        std::move(visitor.stream), handler,
        native::session_options(http::H2Session::Role::server, windows_, context_.budget),
        options_.client_keepalive, std::move(first));
  }
  ConnectFrontend frontend(context_, std::move(visitor.stream), std::move(visitor.name),
                           std::move(first));
  co_return co_await frontend.run();
}

Task<void> Server::run_h2(std::unique_ptr<net::Stream> stream, http::H2Connection::Handler& handler,
                          const http::H2Session::Options& windows, async::Duration keepalive,
                          std::string first) {
  http::H2Connection connection(context_.executor, std::move(stream), windows, handler);
  if (!first.empty()) CO_TRY_VOID(connection.session().receive(base::as_bytes(first)));
  auto outcome =
      co_await (connection.run() || connection.keep_alive(clock_, keepalive, kPingPatience));
  co_return outcome.index() == 0 ? std::get<0>(std::move(outcome))
                                 : std::get<1>(std::move(outcome));
}

void Server::stop_accepting() {
  stopping_ = true;
  for (const auto& door : doors_) door->listener->close();
  accepting_.cancel();
}

Task<void> Server::drained(async::TimePoint deadline) {
  while (!clients_.empty() && clock_.now() < deadline)
    CO_TRY_VOID(co_await clock_.sleep_for(kLookAgain));
  co_return Result<void>{};
}

async::asio::awaitable<void> Server::stop(async::TimePoint deadline) {
  stop_accepting();
  agents_.cancel();
  co_await agents_.join();
  (void)co_await drained(deadline);
  clients_.cancel();
  upkeep_.cancel();
  co_await clients_.join();
  co_await upkeep_.join();
  co_await accepting_.join();
}

}  // namespace tunnel
