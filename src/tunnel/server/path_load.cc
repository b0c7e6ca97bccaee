#include "tunnel/server/path_load.h"

#include <algorithm>
#include <utility>

#include "tunnel/native.h"

namespace tunnel {

std::size_t PathLoad::links_wanted(async::TimePoint now, std::uint64_t carried,
                                   async::Duration round_trip) {
  const async::Duration elapsed = now - sampled_;
  if (elapsed < kSample) return 1;
  sampled_ = now;
  const std::uint64_t fresh = carried - std::exchange(carried_, carried);
  const double round_trips =
      static_cast<double>(elapsed.count()) / static_cast<double>(std::max(round_trip.count(), 1L));
  if (static_cast<double>(fresh) / round_trips < static_cast<double>(kMuch)) return 1;
  return std::clamp<std::size_t>(static_cast<std::size_t>(round_trip / kPathOfLink), 1,
                                 native::kMostLinks);
}

}  // namespace tunnel
