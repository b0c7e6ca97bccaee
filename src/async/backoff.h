#pragma once

#include "async/clock.h"

namespace async {

/// Delays that grow by a factor up to a cap, each lengthened by a random part so that many peers do
/// not act at once.
class Backoff {
 public:
  struct Options {
    Duration initial = std::chrono::seconds(1);
    Duration cap = std::chrono::seconds(10);
    double factor = 1.5;
    double jitter = 0.1;  // each delay is multiplied by 1 + [0, jitter)
  };
  explicit Backoff(Options options) : options_(options), next_(options.initial) {}

  Duration next();
  void reset() { next_ = options_.initial; }

 private:
  Options options_;
  Duration next_;
};

/// `duration` lengthened by a random part of up to `jitter` times itself.
Duration jittered(Duration duration, double jitter);

}  // namespace async
