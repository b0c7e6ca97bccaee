#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "async/clock.h"
#include "tunnel/server/recent_map.h"
#include "tunnel/strategy.h"

namespace tunnel {

/// Remembers under each key of one strategy which agent left last, when and from where, and tells
/// in words why a dial finds no agent. For the log only: what clients are told is fixed by the
/// protocol. Thread: that of the loop.
class LastSeen {
 public:
  static constexpr std::size_t kKept = 4096;

  explicit LastSeen(Strategy strategy) : strategy_(strategy) {}

  void note(const std::vector<std::string>& keys, std::string_view agent, std::string_view peer,
            async::TimePoint now);
  /// Why no agent serves `host` now, and where to look.
  std::string explain(std::string_view host, async::TimePoint now) const;

 private:
  struct Sighting {
    std::string agent;
    std::string peer;
    async::TimePoint at;
  };
  std::string wanted(std::string_view host) const;
  std::string_view never_seen() const;

  Strategy strategy_;
  RecentMap<Sighting> sightings_{kKept};
};

}  // namespace tunnel
