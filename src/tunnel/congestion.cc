#include "tunnel/congestion.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace tunnel {

Congestion::Congestion(grpc::Call& call, async::Clock& clock, const base::MemoryBudget& budget,
                       Options options)
    : call_(call), clock_(clock), budget_(budget), options_(std::move(options)) {}

std::size_t Congestion::limit() const {
  return budget_.exhausted() ? std::min(kLimitWithoutBudget, options_.connection_limit)
                             : options_.connection_limit;
}

std::list<Congestion::Slow>::iterator Congestion::find(const Sink& sink) {
  return std::ranges::find(slow_, &sink, &Slow::sink);
}

void Congestion::delivered(Sink& sink, std::size_t count) {
  const async::TimePoint now = clock_.now();
  if (crowd_.says_little(now, sink.place_, count)) call_.note_interactive();
  if (sink.backlog() <= limit() || find(sink) != slow_.end()) return;
  slow_.push_back({&sink, now, sink.taken()});
  call_.hold(true);
}

void Congestion::drained(Sink& sink) {
  if (slow_.empty()) return;
  const auto found = find(sink);
  if (found != slow_.end() && sink.backlog() <= limit() / 2) {
    slow_.erase(found);
    release();
  }
}

void Congestion::remove(Sink& sink) {
  const auto found = find(sink);
  if (found == slow_.end()) return;
  slow_.erase(found);
  release();
}

void Congestion::release() {
  if (slow_.empty()) call_.hold(false);
}

bool Congestion::must_end(Slow& slow, async::TimePoint now) const {
  const std::uint64_t taken = slow.sink->taken() - slow.taken;
  if (taken < kProgress && now - slow.since < kPatience) return false;
  const bool too_slow = taken < kProgress;
  if (too_slow && (options_.crowded() || (options_.blind && taken == 0))) return true;
  slow.since = now;
  slow.taken += taken;
  return false;
}

void Congestion::tick() {
  const async::TimePoint now = clock_.now();
  std::vector<Sink*> ending;
  for (Slow& slow : slow_) {
    if (must_end(slow, now)) ending.push_back(slow.sink);
  }
  for (Sink* sink : ending) {
    const std::string reason =
        fmt::format("reader too slow: {} bytes wait and hold up the other connections of the link",
                    sink->backlog());
    remove(*sink);
    sink->on_overload(reason);
  }
}

}  // namespace tunnel
