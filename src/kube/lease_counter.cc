#include "kube/lease_counter.h"

#include <algorithm>
#include <utility>

#include "kube/lease.h"

namespace kube {

LeaseCounter::LeaseCounter(async::Loop& loop, Client& client, std::string in_namespace,
                           LabelSelector selector, WatchObserver* observer)
    : clock_(client.clock()),
      selector_(std::move(selector)),
      observer_(observer),
      // The metrics of konnectivity count its lists.
      reflector_(client, lease_api(std::move(in_namespace)), *this, this, {.stream_state = false}),
      tasks_(loop.get_executor()) {}

void LeaseCounter::start() { tasks_.spawn("count leases", reflector_.run()); }

async::Awaitable<void> LeaseCounter::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

unsigned LeaseCounter::count() {
  if (blind_ || !synced()) return last_count_;
  const auto now = clock_.wall_now();
  const auto valid =
      std::ranges::count_if(ends_, [&](const auto& each) { return each.second > now; });
  last_count_ = std::max(static_cast<unsigned>(valid), 1U);
  return last_count_;
}

void LeaseCounter::replace(std::vector<json::object> leases) {
  ends_.clear();
  for (auto& lease : leases) apply(std::move(lease));
}

void LeaseCounter::apply(json::object lease) {
  const auto end = lease_end(lease);
  if (end && selector_.matches(labels_of(lease))) {
    ends_.insert_or_assign(std::string(name_of(lease)), *end);
  } else {
    remove(lease);
  }
}

void LeaseCounter::remove(const json::object& lease) { ends_.erase(std::string(name_of(lease))); }

void LeaseCounter::listed(const Error* error, async::Duration took) {
  blind_ = error != nullptr;
  if (observer_ != nullptr) observer_->listed(error, took);
}

void LeaseCounter::watched(const Error* error, async::Duration took) {
  blind_ = error != nullptr;
  if (observer_ != nullptr) observer_->watched(error, took);
}

}  // namespace kube
