#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "async/clock.h"
#include "async/task.h"

namespace app {

/// For a program that goes on for months: gives the system back what it no longer needs. Ten
/// seconds after the start that is free heap and pages of code, which come back from the page cache
/// where they run again; later on free heap, in the first pause after work. Ends when cancelled.
/// `clock` outlives the task. Thread: any, once a process.
async::Task<void> settle(async::Clock& clock);

/// Finds the pauses in which free heap should go back, from what the process is like at each look.
class PauseWatch {
 public:
  static constexpr std::chrono::milliseconds kWork{200};
  static constexpr std::size_t kFreed = 1024 * 1024;

  struct Use {
    std::chrono::nanoseconds processor;
    std::size_t free;  // heap, in bytes, whether given back or not
  };

  /// True at the first look, and when less than kWork went by since the last one, but at least as
  /// much, or kFreed was freed, since it was true: connections may end long after they worked.
  bool look(const Use& use);

 private:
  std::optional<Use> tidied_;
  std::chrono::nanoseconds last_{};
};

}  // namespace app
