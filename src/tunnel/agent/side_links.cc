#include "tunnel/agent/side_links.h"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/run_on.h"
#include "base/log.h"

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

// A link on another loop. `link` belongs to that loop; null once it is over.
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
  ServerRoute route;                                   // of the latest first link
  std::map<std::size_t, std::shared_ptr<Side>> sides;  // by loop
};

SideLinks::SideLinks(AgentContext& context, const ServerLink::TlsSource& tls,
                     const ServerLink::Options& options, std::vector<AgentLoop> loops)
    : context_(context), tls_(tls), loops_(std::move(loops)), tasks_(context.executor) {
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    options_.push_back(options);
    options_.back().link_number = static_cast<int>(i) + 1;
  }
}

SideLinks::~SideLinks() = default;

void SideLinks::want(const ServerLink& first, std::int64_t count) {
  if (draining_) return;
  const std::string& server_id = first.welcome().server_id;
  Group& group = groups_[server_id];
  group.route = first.route();
  const auto further = static_cast<std::size_t>(std::max<std::int64_t>(count - 1, 0));
  for (std::size_t loop = 0; loop < std::min(further, loops_.size()); ++loop)
    if (!group.sides.contains(loop)) open(server_id, group, loop);
}

namespace {

// A balancer may have led to another server, which has its own first link.
void close_stranger(ServerLink& link, const std::string& server_id) {
  if (link.state() == ServerLink::State::open && link.welcome().server_id != server_id)
    link.close();
}

}  // namespace

void SideLinks::open(const std::string& server_id, Group& group, std::size_t loop) {
  auto side = std::make_shared<Side>(Side{&loops_[loop], nullptr});
  group.sides[loop] = side;
  LOG_INFO("opening a further link", {"server", server_id}, {"link", loop + 1});
  async::asio::post(side->loop->context.executor, [this, side, loop, id = server_id,
                                                   route = group.route] {
    side->link = std::make_unique<ServerLink>(side->loop->context, tls_, options_[loop], route,
                                              [id](ServerLink& link) { close_stranger(link, id); });
    side->loop->tasks.spawn("further link", run(side, this, id, loop));
  });
}

Task<void> SideLinks::run(std::shared_ptr<Side> side, SideLinks* owner, std::string server_id,
                          std::size_t loop) {
  auto result = co_await side->link->run();
  side->link.reset();
  async::asio::post(owner->context_.executor, [owner, side, id = std::move(server_id), loop] {
    owner->lost(id, loop, *side);
  });
  co_return result;
}

// Opened again after a pause, as long as a first link is there. Another further link may have taken
// this one's place.
void SideLinks::lost(const std::string& server_id, std::size_t loop, const Side& side) {
  const auto group = groups_.find(server_id);
  if (group == groups_.end()) return;
  const auto held = group->second.sides.find(loop);
  if (held == group->second.sides.end() || held->second.get() != &side) return;
  group->second.sides.erase(held);
  if (!draining_) tasks_.spawn("further link", reopen_later(server_id, loop));
}

Task<void> SideLinks::reopen_later(std::string server_id, std::size_t loop) {
  CO_TRY_VOID(co_await context_.clock.sleep_for(kAgainAfter));
  const auto group = groups_.find(server_id);
  const bool wanted = group != groups_.end() && !group->second.sides.contains(loop);
  if (wanted && !draining_) open(server_id, group->second, loop);
  co_return Result<void>{};
}

void SideLinks::drop(const std::string& server_id) {
  const auto group = groups_.find(server_id);
  if (group == groups_.end()) return;
  for (const auto& [loop, side] : group->second.sides) Side::post(side, &ServerLink::close);
  groups_.erase(group);
}

void SideLinks::drain() {
  draining_ = true;
  for (const auto& [server, group] : groups_)
    for (const auto& [loop, side] : group.sides) Side::post(side, &ServerLink::drain);
}

Task<void> SideLinks::stop() {
  tasks_.cancel();
  for (const auto& [server, group] : std::exchange(groups_, {}))
    for (const auto& [loop, side] : group.sides) Side::post(side, &ServerLink::stop);
  for (AgentLoop& loop : loops_) {
    async::TaskGroup* const tasks = &loop.tasks;
    CO_TRY_VOID(co_await async::run_on<void>(loop.context.executor,
                                             [tasks] { return join_group(*tasks); }));
  }
  co_await tasks_.join();
  co_return Result<void>{};
}

}  // namespace tunnel
