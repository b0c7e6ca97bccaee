#include "tunnel/client/link.h"

#include <limits>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>

#include "base/log.h"
#include "tunnel/native.h"

namespace tunnel::client {
namespace {

using async::Task;
using base::Code;
using base::Result;

constexpr async::Duration kPingAfter = std::chrono::seconds(15);
constexpr async::Duration kPingPatience = std::chrono::seconds(10);
constexpr std::size_t kGrownWindows = std::size_t{64} << 20;  // bytes, of all streams
constexpr std::uint32_t kLargestWindow = 16 << 20;            // bytes, one stream

}  // namespace

std::shared_ptr<Link> Link::start(async::Executor executor, async::Clock& clock,
                                  std::unique_ptr<net::Stream> stream) {
  std::shared_ptr<Link> link(new Link(std::move(executor), clock, std::move(stream)));
  link->tasks_.spawn("frontend link", serve(link));
  return link;
}

Link::Link(async::Executor executor, async::Clock& clock, std::unique_ptr<net::Stream> stream)
    : executor_(executor),
      clock_(clock),
      budget_(std::numeric_limits<std::size_t>::max()),
      grown_(kGrownWindows),
      windows_{clock, grown_, kLargestWindow},
      changed_(executor),
      connection_(executor, std::move(stream),
                  native::session_options(http::H2Session::Role::client, windows_, budget_),
                  static_cast<http::H2Connection::Handler&>(*this)),
      tasks_(executor) {}

Link::~Link() = default;

// The task keeps its object alive, and the task group in it with it; the group has to see the end
// of the task, so that the last reference goes a step later.
Task<void> Link::serve(std::shared_ptr<Link> self) {
  using namespace async::asio::experimental::awaitable_operators;
  const std::string peer = self->connection_.stream().peer();
  auto outcome = co_await (self->connection_.run() || self->watch());
  const auto& ended = outcome.index() == 0 ? std::get<0>(outcome) : std::get<1>(outcome);
  self->over_ = ended ? base::Error{Code::closed, "the connection ended"} : ended.error();
  self->accepting_ = false;
  self->connection_.session().close_streams(http::H2Error::connection_lost);
  self->changed_.notify_all();
  LOG_DEBUG("connection to the server ended", {"peer", peer}, {"reason", self->over_->message});
  const auto executor = self->executor_;
  async::asio::post(executor, [last = std::move(self)] {});
  co_return Result<void>{};
}

Task<void> Link::watch() {
  while (!pinged_) CO_TRY_VOID(co_await changed_.wait());
  co_return co_await connection_.keep_alive(clock_, kPingAfter, kPingPatience);
}

async::Awaitable<void> Link::silence() {
  constexpr async::Duration kDoubtAfter = std::chrono::seconds(1);
  constexpr async::Duration kPatience = std::chrono::seconds(3);
  for (;;) {
    const std::uint64_t before = connection_.heard();
    const async::TimePoint began = clock_.now();
    if (!co_await clock_.sleep_for(kDoubtAfter)) co_return;
    if (connection_.heard() != before || !pinged_ || over_) continue;
    // One ping for all dials that wait: peers take a burst of them for an attack.
    if (asked_ < began) {
      asked_ = clock_.now();
      connection_.session().ping();
    }
    if (!co_await clock_.sleep_for(kPatience)) co_return;
    if (connection_.heard() != before) continue;
    accepting_ = false;
    co_return;
  }
}

void Link::prove(Spoken spoken) {
  if (std::exchange(proven_, true)) return;
  pinged_ = spoken == Spoken::connect;
  changed_.notify_all();
}

void Link::retire() {
  if (!std::exchange(accepting_, false)) return;
  connection_.session().goaway();
}

void Link::close() {
  accepting_ = false;
  connection_.close();
}

Task<base::Error> Link::ended() {
  const auto self = shared_from_this();
  while (!over_) CO_TRY_VOID(co_await changed_.wait());
  co_return *over_;
}

}  // namespace tunnel::client
