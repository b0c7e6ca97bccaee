#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace tunnel {

/// How many servers there are to connect to, from what servers say and from their Leases.
class ServerCount {
 public:
  /// The number of valid Leases; nothing when it is not known yet.
  using LeaseCount = std::function<std::optional<int>()>;

  ServerCount() = default;
  /// `maximum`: the larger of both counts, not that of Leases alone.
  ServerCount(LeaseCount leases, bool maximum) : leases_(std::move(leases)), maximum_(maximum) {}

  /// A server, newly connected, said that there are so many.
  void heard(int count) { heard_ = count; }

  /// At least 1.
  int known() const {
    const std::optional<int> leases = leases_ ? leases_() : std::nullopt;
    if (!leases) return std::max(heard_, 1);
    return std::max(maximum_ ? std::max(*leases, heard_) : *leases, 1);
  }

 private:
  LeaseCount leases_;
  bool maximum_ = false;
  int heard_ = 0;
};

}  // namespace tunnel
