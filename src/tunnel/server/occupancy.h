#pragma once

#include <atomic>
#include <cstddef>

#include "tunnel/delay_line.h"

namespace tunnel {

/// The clients that one loop serves: whether they come for a moment or stay. Decides, with those of
/// other loops, where the next one is served (decision 0009).
/// Thread: that of its loop; what is const, any.
class Occupancy {
 public:
  /// Who is gone by then came for a moment.
  static constexpr async::Duration kMoment = std::chrono::milliseconds(100);

  /// One client, for as long as it is served. The line, of kMoment, outlives it.
  class Stay : private DelayLine::Entry {
   public:
    Stay(Occupancy& loop, DelayLine& moments);
    ~Stay() override;

   private:
    void on_delay_over() override;

    Occupancy& loop_;
    bool lingers_ = false;
  };

  /// Clients that may be gone in a moment, and those that were not.
  std::size_t fresh() const { return fresh_.load(std::memory_order_relaxed); }
  std::size_t lingering() const { return lingering_.load(std::memory_order_relaxed); }
  /// Whether one more costs less here than it costs to wake another loop for it: most of those that
  /// have gone of late came for a moment, and few are here.
  bool takes_more() const {
    return brevity_.load(std::memory_order_relaxed) > kMost && fresh() < kAtOnce;
  }

 private:
  static constexpr int kAll = 1024, kMost = kAll * 3 / 4;
  static constexpr int kMemory = 16;          // clients
  static constexpr std::size_t kAtOnce = 32;  // more are worth another core

  void gone(bool brief);

  std::atomic<std::size_t> fresh_{0};
  std::atomic<std::size_t> lingering_{0};
  std::atomic<int> brevity_{0};  // share of kAll, the latest counting most
};

}  // namespace tunnel
