#include "portforward/pool.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "async/timeout.h"
#include "base/log.h"

namespace portforward {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

/// One connection and who uses it.
struct ConnectionPool::Entry {
  Entry(async::Executor executor, async::Clock& clock, std::unique_ptr<net::Stream> stream,
        const SpdyConnection::Options& options)
      : connection(executor, clock, std::move(stream), options), idle_since(clock.now()) {}

  SpdyConnection connection;
  std::uint64_t next_request = 0;
  std::size_t tunnels = 0;
  bool proven = false;  // a pair has been opened
  async::TimePoint idle_since;
};

/// The connections to one pod.
struct ConnectionPool::Group {
  explicit Group(async::Executor executor) : dialled(executor) {}

  std::list<std::shared_ptr<Entry>> entries;
  bool dialling = false;
  std::uint64_t dials = 0;             // ended ones
  std::optional<base::Error> failure;  // of the last one
  async::Event dialled;
};

ConnectionPool::Opened::Opened(std::shared_ptr<Entry> entry, StreamPair pair)
    : entry_(std::move(entry)), pair_(std::move(pair)) {}

ConnectionPool::Opened::~Opened() {
  if (entry_) --entry_->tunnels;
}

ConnectionPool::ConnectionPool(async::Executor executor, async::Clock& clock, Dialer& dialer,
                               Options options)
    : executor_(executor),
      clock_(clock),
      dialer_(dialer),
      options_(std::move(options)),
      tasks_(executor) {}

ConnectionPool::~ConnectionPool() = default;

void ConnectionPool::start() { tasks_.spawn("idle connections", reap()); }

async::Awaitable<void> ConnectionPool::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

std::shared_ptr<ConnectionPool::Group> ConnectionPool::group_of(const PodName& pod) {
  auto& group = groups_[pod];
  if (!group) group = std::make_shared<Group>(executor_);
  return group;
}

std::shared_ptr<ConnectionPool::Entry> ConnectionPool::usable(const Group& group) const {
  const auto fits = [this](const std::shared_ptr<Entry>& entry) {
    return entry->connection.usable() && !entry->connection.congested() &&
           entry->tunnels < options_.tunnels_per_connection;
  };
  const auto place = std::ranges::find_if(group.entries, fits);
  return place == group.entries.end() ? nullptr : *place;
}

Task<std::shared_ptr<ConnectionPool::Entry>> ConnectionPool::connection(PodName pod) {
  const auto group = group_of(pod);
  const auto before = group->dials;
  for (;;) {
    if (auto entry = usable(*group)) co_return entry;
    if (!group->dialling) break;
    CO_TRY_VOID(co_await group->dialled.wait());
    if (group->dials != before && group->failure) co_return fail(*group->failure);
  }
  co_return co_await connect(group, std::move(pod));
}

Task<std::shared_ptr<ConnectionPool::Entry>> ConnectionPool::connect(std::shared_ptr<Group> group,
                                                                     PodName pod) {
  group->dialling = true;
  auto dialled = co_await dialer_.dial(std::move(pod));
  group->dialling = false;
  ++group->dials;
  group->failure = dialled ? std::nullopt : std::optional(dialled.error());
  group->dialled.notify_all();
  if (!dialled) co_return fail(std::move(dialled).error());
  auto entry =
      std::make_shared<Entry>(executor_, clock_, std::move(dialled->stream), options_.connection);
  group->entries.push_back(entry);
  tasks_.spawn("connection", serve(group, entry, std::move(dialled->first_bytes)));
  co_return entry;
}

Task<void> ConnectionPool::serve(std::shared_ptr<Group> group, std::shared_ptr<Entry> entry,
                                 std::string first_bytes) {
  auto ended = co_await entry->connection.run(std::move(first_bytes));
  LOG_INFO("connection to a pod ended", {"via", entry->connection.peer()},
           {"tunnels", entry->tunnels}, {"reason", ended.error()});
  group->entries.remove(entry);
  co_return Result<void>{};
}

Task<ConnectionPool::Opened> ConnectionPool::open(PodName pod, std::uint16_t port) {
  for (;;) {
    CO_TRY(auto entry, co_await connection(pod));
    const bool proven = entry->proven;
    auto opened =
        co_await open_on(entry, port, proven ? options_.reopen_limit : options_.open_limit);
    if (opened || !proven || !opened.error().is(Code::timeout)) co_return opened;
    LOG_INFO("a connection to a pod is silent, making another one", {"pod", pod.name});
    entry->connection.doubt();
  }
}

Task<ConnectionPool::Opened> ConnectionPool::open_on(std::shared_ptr<Entry> entry,
                                                     std::uint16_t port, async::Duration limit) {
  ++entry->tunnels;
  Opened opened(entry, {});
  auto pair =
      co_await async::with_timeout(clock_, limit, "streams through " + entry->connection.peer(),
                                   open_pair(entry->connection, port, entry->next_request++));
  if (!pair) co_return fail(std::move(pair).error());
  entry->proven = true;
  opened.pair() = std::move(*pair);
  co_return opened;
}

void ConnectionPool::drop(const PodName& pod) {
  const auto place = groups_.find(pod);
  if (place == groups_.end()) return;
  for (const auto& entry : place->second->entries) {
    entry->connection.close({Code::closed, "the pod " + pod.name + " has gone"});
  }
  groups_.erase(place);
}

Task<void> ConnectionPool::reap() {
  for (;;) {
    CO_TRY_VOID(co_await clock_.sleep_for(options_.idle_limit / 2));
    for (auto& [pod, group] : groups_) {
      for (const auto& entry : group->entries) {
        if (entry->tunnels > 0) entry->idle_since = clock_.now();
        if (clock_.now() - entry->idle_since < options_.idle_limit) continue;
        entry->connection.close({Code::cancelled, "nobody has used it for a while"});
      }
    }
  }
}

std::size_t ConnectionPool::tunnels(const PodName& pod) const {
  const auto place = groups_.find(pod);
  if (place == groups_.end()) return 0;
  std::size_t count = 0;
  for (const auto& entry : place->second->entries) count += entry->tunnels;
  return count;
}

std::size_t ConnectionPool::connections() const {
  std::size_t count = 0;
  for (const auto& [pod, group] : groups_) count += group->entries.size();
  return count;
}

}  // namespace portforward
