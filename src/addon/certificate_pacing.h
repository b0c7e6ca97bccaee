#pragma once

#include <map>
#include <string>
#include <string_view>

#include "async/clock.h"

namespace addon {

/// When to answer an agent's certificate requests, and when to leave the status of its add-on
/// alone.
///
/// OCM's agent writes to that status before it keeps a certificate, and throws the key away when it
/// loses that race: against others, and against its own other request. So answers wait until nobody
/// has written for a moment, one at a time, but not for long. How long that moment is depends on
/// who is expected to write. No I/O; the caller gives the time. Clusters are known by name.
class CertificatePacing {
 public:
  using Time = async::TimePoint;
  static constexpr async::Duration kCalm = std::chrono::milliseconds(250);
  static constexpr async::Duration kCalmBeforeOthers = std::chrono::seconds(1);
  static constexpr async::Duration kCalmAfterRollout = std::chrono::milliseconds(150);
  /// The agent's own write is about to reach its cache as well.
  static constexpr async::Duration kCalmAfterReaction = std::chrono::milliseconds(100);
  static constexpr async::Duration kReaction = std::chrono::seconds(2);
  static constexpr async::Duration kPatience = std::chrono::seconds(5);

  /// Somebody wrote to the add-on, or we are about to; `calm` is how long others may follow.
  void addon_changed(const std::string& cluster, Time now, async::Duration calm = kCalm) {
    clusters_[cluster].calm = now + calm;
  }
  /// It was the agent, about a certificate.
  void agent_reacted(const std::string& cluster, Time now) { clusters_[cluster].reacted = now; }
  /// A request by the agent for a certificate of `signer` has been answered.
  void answered(const std::string& cluster, std::string_view signer, Time now);
  /// There is a new request. One more for what was just answered means that the agent has lost the
  /// race, and will not react any more.
  void asked(const std::string& cluster, std::string_view signer, Time now);
  void forget(const std::string& cluster) { clusters_.erase(cluster); }

  /// How long to wait with the answer to a request that was first seen at `since`.
  async::Duration before_answer(const std::string& cluster, Time since, Time now) const;
  /// How long to wait with a write of ours to the status.
  async::Duration before_write(const std::string& cluster, Time now) const;

 private:
  struct Cluster {
    Time calm{};
    Time answered{};
    std::string signer;  // of what was answered last
    Time reacted{};
    /// Until when the agent may be about to write.
    Time busy_until() const;
  };
  std::map<std::string, Cluster> clusters_;
};

}  // namespace addon
