#include "http/connection_window.h"

#include <algorithm>

namespace http {

// A sender that the window limits sends between half of it and all in a round trip, as it is told
// of what was read by halves; one that sends a third or more may be limited by it.
void ConnectionWindow::arrived(async::TimePoint now, std::size_t count) {
  constexpr async::Duration kLook = std::chrono::milliseconds(5);  // longer than a burst
  arrived_ += count;
  const async::Duration took = now - looked_;
  const async::Duration path = this->path();
  if (took < std::max(kLook, path)) return;
  const auto in_a_round_trip = static_cast<double>(arrived_) * static_cast<double>(path.count()) /
                               static_cast<double>(took.count());
  arrived_ = 0;
  looked_ = now;
  if (path >= kShort && in_a_round_trip * 3 > needed_ && needed_ <= largest_ / 2) needed_ *= 2;
}

void ConnectionWindow::measured(async::TimePoint now, async::Duration round_trip) {
  const async::Duration before = path();
  if (now - remembered_ >= kMemory) {
    shortest_before_ = shortest_;
    shortest_ = round_trip;
    remembered_ = now;
  }
  shortest_ = std::min(shortest_, round_trip);
  // What it grew to was for a longer path, or for a measurement that had to wait for a processor.
  if (path() < before / 2) needed_ = kLeast;
}

std::uint32_t ConnectionWindow::size(async::TimePoint now) const {
  const std::uint32_t wanted = now < interactive_until_ ? needed_ : std::max(needed_, kRoomy);
  return std::min(wanted, largest_);
}

async::Duration ConnectionWindow::path() const {
  const async::Duration shortest = std::min(shortest_, shortest_before_);
  return shortest == kNever ? async::Duration::zero() : shortest;
}

}  // namespace http
