#include "controller/work_queue.h"

#include <algorithm>
#include <utility>

#include "async/timeout.h"

namespace controller {

WorkQueue::WorkQueue(async::Loop& loop, async::Clock& clock, Options options)
    : clock_(clock), options_(options), changed_(loop.get_executor()) {}

void WorkQueue::add(ObjectKey key) {
  later_.erase(key);
  if (!dirty_.insert(key).second || at_work_.contains(key)) return;
  ready_.push_back(std::move(key));
  changed_.notify_all();
}

void WorkQueue::add_after(ObjectKey key, async::Duration pause) {
  if (pause <= async::Duration::zero()) return add(std::move(key));
  const auto when = clock_.now() + pause;
  const auto [place, is_new] = later_.try_emplace(std::move(key), when);
  if (!is_new) place->second = std::min(place->second, when);
  changed_.notify_all();
}

async::Duration WorkQueue::add_failed(const ObjectKey& key) {
  constexpr unsigned kMostDoublings = 30;  // more would overflow
  const auto count = std::min(failures_[key]++, kMostDoublings);
  const auto pause =
      std::min<async::Duration>(options_.first_pause * (1LL << count), options_.longest_pause);
  add_after(key, pause);
  return pause;
}

void WorkQueue::take_due() {
  const auto now = clock_.now();
  std::vector<ObjectKey> due;
  for (const auto& [key, when] : later_) {
    if (when <= now) due.push_back(key);
  }
  for (auto& key : due) add(std::move(key));
}

async::Task<ObjectKey> WorkQueue::next() {
  using namespace async::asio::experimental::awaitable_operators;
  for (take_due(); ready_.empty(); take_due()) {
    if (later_.empty()) {
      CO_TRY_VOID(co_await changed_.wait());
      continue;
    }
    const auto first = std::ranges::min_element(
        later_, {}, &std::map<ObjectKey, async::TimePoint>::value_type::second);
    auto woken = co_await (changed_.wait() || clock_.sleep_until(first->second));
    CO_TRY_VOID(woken.index() == 0 ? std::get<0>(woken) : std::get<1>(woken));
  }
  ObjectKey key = std::move(ready_.front());
  ready_.pop_front();
  dirty_.erase(key);
  at_work_.insert(key);
  co_return key;
}

void WorkQueue::done(const ObjectKey& key) {
  at_work_.erase(key);
  if (!dirty_.contains(key)) return;
  ready_.push_back(key);
  changed_.notify_all();
}

}  // namespace controller
