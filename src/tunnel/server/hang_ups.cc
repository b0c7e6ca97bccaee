#include "tunnel/server/hang_ups.h"

namespace tunnel {

bool HangUps::due(std::string_view peer, async::TimePoint now) {
  const std::lock_guard lock(mutex_);
  const std::string_view source = peer.substr(0, peer.rfind(':'));
  if (const async::TimePoint* told = told_.find(source); told != nullptr && now - *told < kQuiet)
    return false;
  told_.put(source, now);
  return true;
}

}  // namespace tunnel
