#include "async/backoff.h"

#include <algorithm>

#include "base/id.h"

namespace async {

Duration jittered(Duration duration, double jitter) {
  const double part = static_cast<double>(base::random_u64() >> 11) * 0x1.0p-53;
  return duration + std::chrono::duration_cast<Duration>(duration * (jitter * part));
}

Duration Backoff::next() {
  const Duration base = next_;
  next_ = std::min(options_.cap, std::chrono::duration_cast<Duration>(base * options_.factor));
  return jittered(base, options_.jitter);
}

}  // namespace async
