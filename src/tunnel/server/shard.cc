#include "tunnel/server/shard.h"

#include <algorithm>
#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "async/run_on.h"
#include "async/timeout.h"
#include "base/log.h"
#include "net/socket_stream.h"
#include "pki/identity.h"
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

/// Asks an authenticator that lives on another loop.
class DistantAuthenticator : public TokenAuthenticator {
 public:
  DistantAuthenticator(async::Executor there, TokenAuthenticator& authenticator)
      : there_(std::move(there)), authenticator_(authenticator) {}

  Task<void> authenticate(std::string token) override {
    TokenAuthenticator& authenticator = authenticator_;
    return async::run_on<void>(there_, [&authenticator, token = std::move(token)] {
      return authenticator.authenticate(token);
    });
  }

 private:
  async::Executor there_;
  TokenAuthenticator& authenticator_;
};

constexpr async::Duration kHandshakeWithin = std::chrono::seconds(20);
constexpr async::Duration kPingPatience = std::chrono::seconds(20);
// How long the first bytes of a target may wait for the client's first word (see ProxyStream).
constexpr async::Duration kGreetingDelay = std::chrono::milliseconds(100);
// How long a silent target may go on after the end of its client, where links know no half of one.
constexpr async::Duration kHalfCloseLinger = std::chrono::seconds(30);
// How long a target may go on after a client of the gRPC frontend has closed.
constexpr async::Duration kCloseLinger = std::chrono::seconds(5);
// When an agent that has not answered a dial is asked for a sign of life.
constexpr async::Duration kLateAnswer = std::chrono::milliseconds(500);
constexpr async::Duration kFirstWordWithin = std::chrono::seconds(60);
constexpr async::Duration kLookAgain = std::chrono::milliseconds(50);

// An agent's stream carries all its connections; what may be under way on it bounds what a slow
// reader can pile up. Where the way is long, the windows grow.
constexpr http::H2Session::Options kAgentWindows{.role = http::H2Session::Role::server,
                                                 .stream_window = 4 << 20,
                                                 .connection_window = 64 << 20,
                                                 .max_frame_size = 256 << 10};
constexpr http::H2Session::Options kClientWindows{.role = http::H2Session::Role::server,
                                                  .stream_window = 1 << 20,
                                                  .connection_window = 64 << 20,
                                                  .max_frame_size = 256 << 10};

// Cuts off a client that does not come to the point.
class Patience : private DelayLine::Entry {
 public:
  Patience(DelayLine& line, net::Stream& stream) : stream_(stream) { line.add(*this); }
  bool over() const { return over_; }

 private:
  void on_delay_over() override {
    over_ = true;
    stream_.close();
  }

  net::Stream& stream_;
  bool over_ = false;
};

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

Shard::Shard(async::Loop& loop, std::size_t index, const Shared& shared)
    : shared_(shared),
      clock_(shared.clock),
      options_(shared.options),
      admission_(shared.options.admission),
      metrics_(shared.registry, shared.options.strategies),
      router_(options_.strategies, metrics_, &shared.directory),
      stall_watch_(clock_),
      greeting_delay_(loop.get_executor(), clock_, kGreetingDelay),
      half_close_linger_(loop.get_executor(), clock_, kHalfCloseLinger),
      departures_(loop.get_executor(), clock_, StallWatch::kPatience),
      close_linger_(loop.get_executor(), clock_, kCloseLinger),
      late_answers_(loop.get_executor(), clock_, kLateAnswer),
      first_words_(loop.get_executor(), clock_, kFirstWordWithin),
      moments_(loop.get_executor(), clock_, Occupancy::kMoment),
      remotes_(context_),
      context_{clock_,
               loop.get_executor(),
               metrics_,
               shared.budget,
               router_,
               stall_watch_,
               nullptr,
               greeting_delay_,
               half_close_linger_,
               close_linger_,
               departures_,
               late_answers_,
               shared.windows,
               remotes_,
               index,
               shared.loops,
               options_.connection_limit,
               options_.access_log},
      upkeep_(loop.get_executor()),
      clients_(loop.get_executor()),
      agents_(loop.get_executor()) {
  shared.directory.join(index, context_);
  if (admission_.authenticator != nullptr && index > 0) {
    authenticator_ = std::make_unique<DistantAuthenticator>(shared.shards.front()->executor(),
                                                            *admission_.authenticator);
    admission_.authenticator = authenticator_.get();
  }
  if (options_.dial_timeout.count() > 0) {
    dial_deadlines_.emplace(loop.get_executor(), clock_, options_.dial_timeout);
    context_.dial_deadlines = &*dial_deadlines_;
    upkeep_.spawn("dial deadlines", dial_deadlines_->run());
  }
  upkeep_.spawn("greeting delay", greeting_delay_.run());
  upkeep_.spawn("half-close linger", half_close_linger_.run());
  upkeep_.spawn("close linger", close_linger_.run());
  upkeep_.spawn("departures", departures_.run());
  upkeep_.spawn("late answers", late_answers_.run());
  upkeep_.spawn("first words", first_words_.run());
  upkeep_.spawn("moments", moments_.run());
  upkeep_.spawn("stall watch", stall_watch_.run());
}

Shard::~Shard() = default;

void Shard::admit(const Door& door, net::Socket socket) {
  if (!door.mode) ++agent_count_;
  async::asio::dispatch(executor(), [this, &door, socket = std::move(socket)]() mutable {
    async::TaskGroup& group = door.mode ? clients_ : agents_;
    group.spawn("connection", welcome(door, std::move(socket)));
  });
}

Task<void> Shard::welcome(const Door& door, net::Socket socket) {
  struct Leaving {
    std::atomic<std::size_t>* count;
    ~Leaving() {
      if (count != nullptr) --*count;
    }
  };
  const Leaving leaving{door.mode ? nullptr : &agent_count_};
  net::tune(socket, net::Liveness::link());
  net::keep_queue_short(socket);
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
    if (door.mode) {
      visitor.access = options_.clients.access_of(**secured);
    } else {
      visitor.clusters = pki::clusters_named((*secured)->peer_uris());
    }
    visitor.stream = std::move(*secured);
  }
  if (door.mode && !door.tls) visitor.access = options_.clients.access_of_socket();
  visitor.name = name;
  log_end(door.who, name, co_await serve(door, std::move(visitor)));
  co_return Result<void>{};
}

Task<void> Shard::serve(const Door& door, Visitor visitor) {
  if (!door.mode) return serve_agent(std::move(visitor));
  return *door.mode == FrontendMode::grpc ? serve_grpc_client(std::move(visitor))
                                          : serve_connect_client(std::move(visitor));
}

void Shard::log_failed_handshake(const Door& door, const std::string& name, base::Error error) {
  if (error.is(Code::closed) && shared_.hang_ups.due(name, clock_.now())) {
    LOG_INFO(
        "peer hung up in the TLS handshake; this is what port checks of load balancers do, and "
        "peers that distrust our certificate; further ones of this source are not told for 5 min",
        {"of", door.who}, {"from", name}, {"reason", error});
    return;
  }
  log_end(door.who, name, base::fail(std::move(error)));
}

Task<void> Shard::serve_agent(Visitor visitor) {
  if (visitor.protocol == native::kAlpn) {
    NativeBackend link(context_, admission_, std::move(visitor.stream),
                       {std::move(visitor.name), std::move(visitor.clusters)});
    co_return co_await link.run();
  }
  AgentConnection handler(context_, admission_, agents_,
                          {std::move(visitor.name), std::move(visitor.clusters)});
  co_return co_await run_h2(std::move(visitor.stream), handler, kAgentWindows,
                            options_.agent_keepalive);
}

Task<void> Shard::serve_grpc_client(Visitor visitor) {
  ClientConnection handler(context_, {std::move(visitor.name), std::move(visitor.access)});
  auto options = kClientWindows;
  options.any_message = visitor.protocol.empty();  // its :authority may be the path of our socket
  co_return co_await run_h2(std::move(visitor.stream), handler, options, options_.client_keepalive);
}

// HTTP/2 is spoken where TLS has agreed on it, and in the clear to those who begin with its
// preface.
Task<void> Shard::serve_connect_client(Visitor visitor) {
  std::string first;
  std::optional<ConnectRequest> request;
  if (visitor.protocol != "h2") {
    const Patience patience(first_words_, *visitor.stream);
    auto read = co_await read_request(visitor, first);
    if (patience.over())
      co_return fail(Code::timeout, "the client did not say what it wants within 60s");
    CO_TRY(request, std::move(read));
  }
  if (request) {
    carry(std::move(visitor), *std::move(request));
    co_return Result<void>{};
  }
  ConnectStreams handler(context_, {std::move(visitor.name), std::move(visitor.access)});
  co_return co_await run_h2(
      std::move(visitor.stream), handler,
      native::session_options(http::H2Session::Role::server, context_.windows, context_.budget),
      options_.client_keepalive, std::move(first));
}

// None: the client begins as HTTP/2 does, with `first`.
Task<std::optional<ConnectRequest>> Shard::read_request(Visitor& visitor, std::string& first) {
  if (visitor.protocol.empty()) {
    CO_TRY(first, co_await read_first(*visitor.stream));
  }
  if (begins_http2(first)) co_return std::nullopt;
  CO_TRY(ConnectRequest request,
         co_await read_connect_request(*visitor.stream, std::move(first), clock_));
  co_return request;
}

// A task of its own: what was needed to come so far is not kept for the life of the connection.
void Shard::carry(Visitor visitor, ConnectRequest request) {
  Shard* home = home_of(request.target);
  if (home == nullptr || !visitor.stream->move_to(home->executor()))
    return clients_.spawn("connection", serve_connect(std::move(visitor), std::move(request)));
  async::asio::post(home->executor(), [home, visitor = std::move(visitor),
                                       request = std::move(request)]() mutable {
    home->clients_.spawn("connection", home->serve_connect(std::move(visitor), std::move(request)));
  });
}

// Where the link is that will carry the connection, if that is on another loop and none is here.
Shard* Shard::home_of(const std::string& target) {
  const Backend* backend = router_.pick(target, clock_.now());
  if (backend == nullptr || !backend->remote()) return nullptr;
  return shared_.shards[backend->entry()->home].get();
}

Task<void> Shard::serve_connect(Visitor visitor, ConnectRequest request) {
  const Occupancy::Stay stay(occupancy_, moments_);
  ConnectFrontend frontend(context_, std::move(visitor.stream),
                           {visitor.name, std::move(visitor.access)}, std::move(request));
  log_end("client", visitor.name, co_await frontend.run());
  co_return Result<void>{};
}

Task<void> Shard::run_h2(std::unique_ptr<net::Stream> stream, http::H2Connection::Handler& handler,
                         http::H2Session::Options options, async::Duration keepalive,
                         std::string first) {
  options.windows = &shared_.windows;
  http::H2Connection connection(context_.executor, std::move(stream), options, handler);
  if (!first.empty()) CO_TRY_VOID(connection.session().receive(base::as_bytes(first)));
  auto outcome =
      co_await (connection.run() || connection.keep_alive(clock_, keepalive, kPingPatience));
  co_return outcome.index() == 0 ? std::get<0>(std::move(outcome))
                                 : std::get<1>(std::move(outcome));
}

Task<void> Shard::drained(async::TimePoint deadline) {
  while (!clients_.empty() && clock_.now() < deadline)
    CO_TRY_VOID(co_await clock_.sleep_for(kLookAgain));
  co_return Result<void>{};
}

Task<ServerStatus> Shard::status(std::size_t connections) const {
  co_return router_.status(connections, clock_.now());
}

void Shard::tell_draining() {
  async::asio::post(executor(), [this] { router_.tell_draining(); });
}

Task<void> Shard::stop_agents() {
  agents_.cancel();
  co_await agents_.join();
  co_return Result<void>{};
}

Task<void> Shard::stop() {
  clients_.cancel();
  upkeep_.cancel();
  co_await clients_.join();
  co_await upkeep_.join();
  co_return Result<void>{};
}

}  // namespace tunnel
