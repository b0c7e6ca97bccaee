#pragma once

#include <cstddef>
#include <mutex>
#include <string_view>

#include "async/clock.h"
#include "tunnel/server/recent_map.h"

namespace tunnel {

/// Decides which peers that hang up during the TLS handshake are worth a line in the log: the first
/// of a source in kQuiet. A load balancer that checks the port every second would fill the log
/// otherwise. Thread: any.
class HangUps {
 public:
  static constexpr async::Duration kQuiet = std::chrono::minutes(5);
  static constexpr std::size_t kSources = 1024;

  /// `peer` is "host:port"; the source is its host. True counts as told.
  bool due(std::string_view peer, async::TimePoint now);

 private:
  std::mutex mutex_;
  RecentMap<async::TimePoint> told_{kSources};
};

}  // namespace tunnel
