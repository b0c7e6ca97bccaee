#include "tunnel/client/dialer.h"

#include <algorithm>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "async/timeout.h"
#include "net/address.h"
#include "tunnel/client/connect_end.h"
#include "tunnel/client/http1.h"
#include "tunnel/client/lingering_stream.h"
#include "tunnel/client/proxy_call.h"

namespace tunnel::client {

using async::Task;
using base::Code;
using base::Result;

namespace {

// To find out what is spoken takes two, a connection that was lost unnoticed one more.
constexpr int kAttempts = 4;

/// What may go into a line of HTTP as it is, and may be the name of something.
Result<void> check_target(std::string_view target) {
  const auto odd = [](unsigned char c) { return c <= 0x20 || c >= 0x7f; };
  if (std::ranges::any_of(target, odd))
    return base::fail(Code::invalid, "it has a space, or a character that is not ASCII");
  TRY(const net::HostPort parsed, net::parse_host_port(target));
  if (parsed.host.empty()) return base::fail(Code::invalid, "its host is missing");
  constexpr std::size_t kLongest = 255;  // what SOCKS5 can say; DNS has 253
  if (parsed.host.size() > kLongest)
    return base::fail(Code::invalid, "its host is longer than 255 characters");
  return {};
}

/// For a message: a name as long as this is none that anybody has to read.
std::string shown(std::string_view target) {
  constexpr std::size_t kLongest = 300;
  return target.size() <= kLongest ? one_line(target)
                                   : one_line(target.substr(0, kLongest)) + "...";
}

Result<DialResult> told(DialResult result) {
  return Result<DialResult>(std::in_place, std::move(result));
}

}  // namespace

/// A connection on its way, which those wait for that may share it. It fails for all of them,
/// except when its maker gave up.
struct Dialer::Connecting {
  explicit Connecting(async::Executor executor) : ended(executor) {}
  bool over = false;
  std::optional<base::Error> error;
  async::Event ended;
};

Dialer::Dialer(async::Clock& clock, Entrance& entrance, Options options)
    : clock_(clock), entrance_(entrance), options_(options), spoken_(options.protocol) {}

Dialer::~Dialer() {
  for (const auto& weak : links_) {
    if (const auto link = weak.lock()) link->close();
  }
}

async::Awaitable<DialResult> Dialer::dial(std::string target) {
  if (auto checked = check_target(target); !checked) {
    co_return std::unexpected(
        DialError(Failure::bad_target, fmt::format("cannot connect to \"{}\": {}; want HOST:PORT",
                                                   shown(target), shown(checked.error().message))));
  }
  auto dialed = co_await async::with_timeout(
      clock_, options_.limit, fmt::format("no answer from {} about {}", server(), target),
      attempts(target));
  if (!dialed) co_return std::unexpected(DialError(std::move(dialed).error()));
  co_return *std::move(dialed);
}

Task<DialResult> Dialer::attempts(std::string target) {
  const Dial dial{co_await async::asio::this_coro::executor, clock_, std::move(target), server()};
  for (int attempts = 1;; ++attempts) {
    auto link = co_await shared_link();
    if (!link) co_return told(std::unexpected(DialError(std::move(link).error())));
    if (*link == nullptr) co_return told(co_await dial_alone(dial));
    const Tried tried{**link, spoken_, (*link)->proven()};
    DialResult result = co_await attempt(*link, dial);
    if (result || attempts == kAttempts || !goes_on(result.error(), tried)) {
      if (!result && result.error().kind == Failure::protocol) spoken_ = options_.protocol;
      co_return told(std::move(result));
    }
  }
}

async::Awaitable<DialResult> Dialer::attempt(LinkPtr link, Dial dial) {
  using namespace async::asio::experimental::awaitable_operators;
  if (spoken_ == Protocol::grpc) co_return co_await dial_grpc(link, dial);
  auto first = co_await (dial_connect(link, dial) || link->silence());
  if (link->proven()) conclude(Protocol::http2);
  if (first.index() == 0) co_return std::get<0>(std::move(first));
  if (link->accepting()) co_return std::unexpected(DialError({Code::cancelled, "cancelled"}));
  co_return std::unexpected(DialError(
      Failure::server_gone, fmt::format("the connection to {} has fallen silent", server())));
}

// Whether to try once more: with what else may be spoken, or over a new connection. Of several
// dials at once the first to fail draws the conclusion.
bool Dialer::goes_on(const DialError& error, const Tried& tried) {
  const bool guessed = tried.spoken == Protocol::automatic;
  if (guessed && error.kind == Failure::protocol) {
    conclude(Protocol::grpc);
    return true;
  }
  if (error.kind != Failure::server_gone || tried.link.accepting()) return false;
  if (tried.proven) return true;
  if (!guessed || !in_the_clear_) return false;
  conclude(Protocol::http1);
  return true;
}

void Dialer::conclude(Protocol spoken) {
  if (spoken_ == Protocol::automatic) spoken_ = spoken;
}

// Null when HTTP/1.1 is spoken.
Task<Dialer::LinkPtr> Dialer::shared_link() {
  for (;;) {
    if (spoken_ == Protocol::http1) co_return LinkPtr();
    if (link_ && link_->accepting()) co_return link_;
    const auto connecting = connecting_;
    if (connecting && !connecting->over) {
      while (!connecting->over) CO_TRY_VOID(co_await connecting->ended.wait());
      if (connecting->error) co_return base::fail(*connecting->error);
    } else {
      CO_TRY_VOID(co_await connect_first());
    }
  }
}

Task<void> Dialer::connect_first() {
  const auto connecting = std::make_shared<Connecting>(co_await async::asio::this_coro::executor);
  connecting_ = connecting;
  // However this ends, those who wait hear of it.
  const std::shared_ptr<void> tell(connecting.get(), [connecting](void*) {
    connecting->over = true;
    connecting->ended.notify_all();
  });
  auto connected = co_await connect();
  if (!connected && !connected.error().is(Code::cancelled)) connecting->error = connected.error();
  co_return connected;
}

Task<void> Dialer::connect() {
  CO_TRY(Entrance::Connection made, co_await entrance_.connect());
  in_the_clear_ = !made.tls;
  if (spoken_ == Protocol::automatic && made.tls && made.alpn != "h2") {
    spoken_ = Protocol::http1;
    fresh_ = std::move(made.stream);
    co_return Result<void>{};
  }
  link_ = Link::start(co_await async::asio::this_coro::executor, clock_, std::move(made.stream));
  std::erase_if(links_, [](const auto& weak) { return weak.expired(); });
  links_.push_back(link_);
  co_return Result<void>{};
}

async::Awaitable<DialResult> Dialer::dial_alone(Dial dial) {
  auto stream = std::exchange(fresh_, nullptr);
  if (!stream) {
    CO_TRY(Entrance::Connection made, co_await entrance_.connect());
    stream = std::move(made.stream);
  }
  DialResult result = co_await dial_http1(std::move(stream), std::move(dial));
  // Our own servers speak HTTP/2; who does not may be konnectivity's, which knows no half of an
  // end.
  const bool found_out = options_.protocol == Protocol::automatic;
  if (result && found_out) result = make_lingering_stream(*std::move(result), clock_);
  co_return result;
}

Task<void> Dialer::finish(async::Duration limit) {
  for (const auto& weak : links_) {
    if (const auto link = weak.lock()) link->retire();
  }
  auto ended = co_await async::with_timeout(clock_, limit, "goodbye", all_ended());
  if (!ended && ended.error().is(Code::timeout)) co_return Result<void>{};
  co_return ended;
}

Task<void> Dialer::all_ended() {
  for (const auto& weak : links_) {
    const auto link = weak.lock();
    if (link) CO_TRY_VOID(co_await link->ended());
  }
  co_return Result<void>{};
}

}  // namespace tunnel::client
