#include "tunnel/agent/side_links.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/run_on.h"
#include "base/log.h"
#include "tunnel/native.h"

namespace tunnel {
namespace {

using async::Task;
using base::Result;

Task<void> join_group(async::TaskGroup& tasks) {
  co_await tasks.join();
  co_return Result<void>{};
}

constexpr async::Duration kAgainAfter = std::chrono::seconds(1);

}  // namespace

// A link on a loop. `link` belongs to that loop; null once it is over.
struct SideLinks::Side {
  AgentLoop* loop;
  std::unique_ptr<ServerLink> link;

  // To the loop, where the link is or is no more.
  static void post(const std::shared_ptr<Side>& side, void (ServerLink::*what)()) {
    async::asio::post(side->loop->context.executor, [side, what] {
      if (side->link) (side->link.get()->*what)();
    });
  }
};

struct SideLinks::Group {
  ServerRoute route;                           // of the latest first link
  std::map<int, std::shared_ptr<Side>> sides;  // by number
};

SideLinks::SideLinks(AgentContext& context, const ServerLink::TlsSource& tls,
                     const ServerLink::Options& options, std::vector<AgentLoop> more_loops)
    : context_(context),
      tls_(tls),
      loops_(std::move(more_loops)),
      first_loop_tasks_(context.executor),
      tasks_(context.executor) {
  loops_.push_back({context, first_loop_tasks_});
  const auto most = static_cast<int>(std::max(loops_.size(), native::kMostLinks));
  for (int number = 1; number < most; ++number) {
    options_[number] = options;
    options_[number].link_number = number;
  }
}

SideLinks::~SideLinks() = default;

void SideLinks::want(const ServerLink& first) {
  const std::size_t count = further(first.links_wanted());
  if (draining_ || count == 0) return;
  const std::string& server_id = first.welcome().server_id;
  Group& group = groups_[server_id];
  group.route = first.route();
  for (int number = 1; number <= static_cast<int>(count); ++number)
    if (!group.sides.contains(number)) open(server_id, group, number);
}

std::size_t SideLinks::further(const LinksWanted& wanted) const {
  const auto asked = static_cast<std::size_t>(std::max<std::int64_t>(wanted.count - 1, 0));
  return std::min(asked, wanted.far ? options_.size() : loops_.size() - 1);
}

namespace {

// A balancer may have led to another server, which has its own first link.
void close_stranger(ServerLink& link, const std::string& server_id) {
  if (link.state() == ServerLink::State::open && link.welcome().server_id != server_id)
    link.close();
}

}  // namespace

void SideLinks::open(const std::string& server_id, Group& group, int number) {
  AgentLoop& loop = loops_[static_cast<std::size_t>(number - 1) % loops_.size()];
  auto side = std::make_shared<Side>(Side{&loop, nullptr});
  group.sides[number] = side;
  LOG_INFO("opening a further link", {"server", server_id}, {"link", number});
  async::asio::post(loop.context.executor, [this, side, number, id = server_id,
                                            route = group.route] {
    side->link = std::make_unique<ServerLink>(side->loop->context, tls_, options_.at(number), route,
                                              [id](ServerLink& link) { close_stranger(link, id); });
    side->loop->tasks.spawn("further link", run(side, this, id, number));
  });
}

Task<void> SideLinks::run(std::shared_ptr<Side> side, SideLinks* owner, std::string server_id,
                          int number) {
  auto result = co_await side->link->run();
  side->link.reset();
  async::asio::post(owner->context_.executor, [owner, side, id = std::move(server_id), number] {
    owner->lost(id, number, *side);
  });
  co_return result;
}

// Opened again after a pause, as long as a first link is there. Another further link may have taken
// this one's place.
void SideLinks::lost(const std::string& server_id, int number, const Side& side) {
  const auto group = groups_.find(server_id);
  if (group == groups_.end()) return;
  const auto held = group->second.sides.find(number);
  if (held == group->second.sides.end() || held->second.get() != &side) return;
  group->second.sides.erase(held);
  if (!draining_) tasks_.spawn("further link", reopen_later(server_id, number));
}

Task<void> SideLinks::reopen_later(std::string server_id, int number) {
  CO_TRY_VOID(co_await context_.clock.sleep_for(kAgainAfter));
  const auto group = groups_.find(server_id);
  const bool wanted = group != groups_.end() && !group->second.sides.contains(number);
  if (wanted && !draining_) open(server_id, group->second, number);
  co_return Result<void>{};
}

void SideLinks::drop(const std::string& server_id) {
  const auto group = groups_.find(server_id);
  if (group == groups_.end()) return;
  for (const auto& [number, side] : group->second.sides) Side::post(side, &ServerLink::close);
  groups_.erase(group);
}

void SideLinks::drain() {
  draining_ = true;
  for (const auto& [server, group] : groups_)
    for (const auto& [number, side] : group.sides) Side::post(side, &ServerLink::drain);
}

Task<void> SideLinks::stop() {
  tasks_.cancel();
  for (const auto& [server, group] : std::exchange(groups_, {}))
    for (const auto& [number, side] : group.sides) Side::post(side, &ServerLink::stop);
  for (AgentLoop& loop : loops_) {
    async::TaskGroup* const tasks = &loop.tasks;
    CO_TRY_VOID(co_await async::run_on<void>(loop.context.executor,
                                             [tasks] { return join_group(*tasks); }));
  }
  co_await tasks_.join();
  co_return Result<void>{};
}

}  // namespace tunnel
