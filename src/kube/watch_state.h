#pragma once

#include <string>
#include <string_view>

#include "async/backoff.h"
#include "async/clock.h"
#include "kube/error.h"

namespace kube {

/// What a Reflector does next, decided from what happened so far. No I/O, no clock of its own.
///
///   list ----listed----> watch ----ended, changed----> watch (resumed)
///     ^                    |
///     +-------gone---------+      any failure: the same step again after a growing pause
///
/// A list begins at resource version "0" (whatever the server has in its cache), after a 410 at the
/// last version seen, and if that is refused as well, without one (the newest there is).
class WatchState {
 public:
  enum class Step { list, watch };
  explicit WatchState(async::Backoff::Options backoff) : backoff_(backoff) {}

  Step step() const { return step_; }
  /// For the next step.
  const std::string& resource_version() const { return version_; }
  /// How long to wait before the next step.
  async::Duration pause() const { return pause_; }

  void listed(std::string_view version);
  /// An event of the watch came; bookmarks count.
  void event(std::string_view version);
  /// The server ended the watch in an orderly way after `lasted`.
  void ended(async::Duration lasted);
  void failed(const Error& error, async::TimePoint now);

 private:
  Step step_ = Step::list;
  std::string version_ = "0";
  async::Duration pause_{0};
  async::Backoff backoff_;
  bool saw_event_ = false;
  async::TimePoint last_failure_{};
};

}  // namespace kube
