#include "tunnel/stall_watch.h"

#include <utility>
#include <vector>

namespace tunnel {

void StallWatch::add(Sink& sink) { watched_.push_back({&sink, clock_.now(), sink.taken()}); }

void StallWatch::remove(const Sink& sink) {
  std::erase_if(watched_, [&](const Watched& watched) { return watched.sink == &sink; });
}

void StallWatch::tick() {
  const async::TimePoint now = clock_.now();
  std::vector<Sink*> stalled;
  for (Watched& watched : watched_) {
    const std::uint64_t taken = watched.sink->taken();
    if (taken != watched.taken) {
      watched.since = now;
      watched.taken = taken;
    } else if (now - watched.since >= kPatience) {
      stalled.push_back(watched.sink);
    }
  }
  for (Sink* sink : stalled) {
    remove(*sink);
    sink->on_overload("the last bytes were not taken in time");
  }
}

async::Task<void> StallWatch::run() {
  for (;;) {
    CO_TRY_VOID(co_await clock_.sleep_for(kTick));
    tick();
  }
}

}  // namespace tunnel
