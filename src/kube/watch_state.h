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
/// With `streams`, the place of `list` is taken by `stream`: a watch that begins with the state of
/// the world; it is a watch as any other once that has come. A server that does not take it is
/// listed from then on.
///
/// A list begins at resource version "0" (whatever the server has in its cache), after a 410 at the
/// last version seen, and if that is refused as well, without one (the newest there is). A stream
/// begins without one where a list has "0": the server has the newest at hand.
class WatchState {
 public:
  enum class Step { list, stream, watch };
  explicit WatchState(async::Backoff::Options backoff, bool streams = false)
      : backoff_(backoff), streams_(streams) {}

  Step step() const;
  /// For the next step.
  std::string resource_version() const;
  /// How long to wait before the next step.
  async::Duration pause() const { return pause_; }

  void listed(std::string_view version);
  /// An event of the watch came; bookmarks count.
  void event(std::string_view version);
  /// The server ended the watch in an orderly way after `lasted`.
  void ended(async::Duration lasted);
  void failed(const Error& error, async::TimePoint now);
  /// It may be another server from here on: nothing that was seen counts.
  void restart();
  /// The server does not stream the state: list, now and later.
  void stream_refused();

 private:
  bool watches_ = false;
  std::string version_ = "0";
  async::Duration pause_{0};
  async::Backoff backoff_;
  bool streams_;
  bool saw_event_ = false;
  async::TimePoint last_failure_{};
};

}  // namespace kube
