#include "tunnel/server/path_load.h"

#include <algorithm>
#include <utility>

#include "tunnel/native.h"

namespace tunnel {

using Seconds = std::chrono::duration<double>;

std::size_t PathLoad::links_wanted(async::TimePoint now, std::uint64_t carried,
                                   async::Duration path) {
  const async::Duration elapsed = now - sampled_;
  if (elapsed < kSample) return 1;
  sampled_ = now;
  const std::uint64_t fresh = carried - std::exchange(carried_, carried);
  const double under_way = static_cast<double>(fresh) * (Seconds(path) / Seconds(elapsed));
  if (under_way < static_cast<double>(kMuch)) return 1;
  return std::clamp<std::size_t>(static_cast<std::size_t>(path / kPathOfLink), 1,
                                 native::kMostLinks);
}

}  // namespace tunnel
