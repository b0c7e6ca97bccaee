#pragma once

#include "async/backoff.h"

namespace tunnel {

/// When the agent looks again whether it is connected to enough servers. Without I/O.
class SyncSchedule {
 public:
  enum class Outcome {
    settled,    // nothing to do, or the server that answered is already connected
    connected,  // a new server
    failed,
  };

  SyncSchedule(async::Duration interval, async::Duration cap)
      : interval_(interval), backoff_({.initial = interval, .cap = cap}) {}

  /// A server has gone: most likely another one is about to take its place.
  void server_lost() {
    quick_ = kQuick;
    backoff_.reset();
  }

  /// The pause after an attempt: the interval and up to a tenth; after failures growing by half
  /// each time, up to the cap. The first attempts after a loss, and after the start, are followed
  /// by a quarter of it as long as they fail or servers are missing: behind one address an attempt
  /// may meet any of them.
  async::Duration after(Outcome outcome, bool enough) {
    if ((outcome == Outcome::failed || !enough) && quick_ > 0) {
      --quick_;
      return async::jittered(interval_ / 4, kJitter);
    }
    if (outcome == Outcome::failed) return backoff_.next();
    backoff_.reset();
    return async::jittered(interval_, kJitter);
  }

 private:
  static constexpr double kJitter = 0.1;
  static constexpr int kQuick = 20;
  int quick_ = kQuick;  // the server, or what forwards to it, may be starting beside us
  async::Duration interval_;
  async::Backoff backoff_;
};

}  // namespace tunnel
