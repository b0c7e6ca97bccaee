#include "net/dial.h"

#include <algorithm>
#include <optional>
#include <sys/un.h>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include "async/event.h"
#include "async/timeout.h"
#include "net/address.h"
#include "net/resolver.h"

namespace net {
namespace {

namespace asio = boost::asio;
using async::Task;
using base::Code;
using base::Error;
using base::fail;
using base::Result;
using Tcp = asio::ip::tcp;

constexpr async::Duration kAttemptDelay = std::chrono::milliseconds(250);  // RFC 8305, section 5

std::string name_of(const Tcp::endpoint& endpoint) {
  return join_host_port(endpoint.address().to_string(), endpoint.port());
}

// A race of connection attempts over the addresses of one target: the first success wins, the
// others are dropped. Kept alive by its callbacks, since a cancelled dial unwinds before they have
// run.
class Race : public std::enable_shared_from_this<Race> {
 public:
  Race(asio::any_io_executor executor, std::vector<Tcp::endpoint> endpoints)
      : executor_(executor),
        endpoints_(std::move(endpoints)),
        stagger_(executor),
        changed_(executor) {}

  bool decided() const { return winner_ || failed_ == endpoints_.size(); }
  async::Event& changed() { return changed_; }

  void start_next() {
    if (decided() || sockets_.size() == endpoints_.size()) return;
    const std::size_t index = sockets_.size();
    sockets_.push_back(std::make_unique<Tcp::socket>(executor_));
    sockets_.back()->async_connect(
        endpoints_[index], [self = shared_from_this(), index](boost::system::error_code error) {
          self->finished(index, error);
        });
    stagger_.expires_after(kAttemptDelay);
    stagger_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->start_next();
    });
  }

  Result<Socket> result() {
    if (winner_) return Socket(std::move(*winner_));
    return fail(*first_error_);
  }

  void stop() {
    stagger_.cancel();
    boost::system::error_code ignored;
    for (const auto& socket : sockets_) socket->close(ignored);
  }

 private:
  void finished(std::size_t index, boost::system::error_code error) {
    if (!error && !winner_) winner_ = std::move(*sockets_[index]);
    if (error) ++failed_;
    if (error && !first_error_) {
      first_error_ = base::system_error(error.value(), "connect")
                         .within("dial tcp " + name_of(endpoints_[index]));
    }
    if (error) start_next();
    changed_.notify_all();
  }

  asio::any_io_executor executor_;
  std::vector<Tcp::endpoint> endpoints_;
  std::vector<std::unique_ptr<Tcp::socket>> sockets_;
  std::size_t failed_ = 0;
  std::optional<Tcp::socket> winner_;
  std::optional<Error> first_error_;
  asio::steady_timer stagger_;
  async::Event changed_;
};

// Stops a race however its dial ends.
struct RaceGuard {
  std::shared_ptr<Race> race;
  ~RaceGuard() { race->stop(); }
};

Task<Socket> race(std::vector<Tcp::endpoint> endpoints) {
  const RaceGuard guard{
      std::make_shared<Race>(co_await asio::this_coro::executor, std::move(endpoints))};
  guard.race->start_next();
  while (!guard.race->decided()) CO_TRY_VOID(co_await guard.race->changed().wait());
  co_return guard.race->result();
}

// What the dial has learnt when its time is up, for the text of the error.
struct Progress {
  std::string name;
  bool resolved = false;
};

Task<Socket> resolve_and_race(HostPort target, Family family, Progress& progress) {
  auto resolved = co_await resolve(std::move(target), family);
  if (!resolved) co_return fail(std::move(resolved).error().within("dial tcp"));
  auto endpoints = *std::move(resolved);
  progress = {name_of(endpoints.front()), true};
  co_return co_await race(std::move(endpoints));
}

std::string timeout_text(const HostPort& target, const Progress& progress) {
  if (progress.resolved) return fmt::format("dial tcp {}: i/o timeout", progress.name);
  return fmt::format("dial tcp: lookup {}: i/o timeout", target.host);
}

}  // namespace

async::Task<Socket> dial_tcp(async::Clock& clock, std::string address, async::Duration limit,
                             Liveness liveness, Family family) {
  if (address.empty()) co_return fail(Code::invalid, "dial tcp: missing address");
  auto target = parse_host_port(address);
  if (!target) co_return fail(std::move(target).error().within("dial tcp"));
  Progress progress;
  auto socket = co_await async::with_timeout(clock, limit, address,
                                             resolve_and_race(*target, family, progress));
  if (!socket && socket.error().is(Code::timeout) && socket.error().message.starts_with(address)) {
    co_return fail(Code::timeout, timeout_text(*target, progress));
  }
  if (socket) tune(*socket, liveness);
  co_return socket;
}

async::Task<Socket> dial_unix(std::string path) {
  using Unix = asio::local::stream_protocol;
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    co_return fail(Code::invalid, "dial unix " + path + ": path too long");
  Unix::socket socket(co_await asio::this_coro::executor);
  auto [error] = co_await socket.async_connect(Unix::endpoint(path), async::kAsTuple);
  if (error)
    co_return fail(base::system_error(error.value(), "connect").within("dial unix " + path));
  co_return Socket(std::move(socket));
}

}  // namespace net
