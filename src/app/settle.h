#pragma once

#include <chrono>
#include <optional>

#include "async/clock.h"
#include "async/task.h"

namespace app {

/// For a program that goes on for months: gives the system back what it no longer needs. Ten
/// seconds after the start that is free heap and pages of code, which come back from the page cache
/// where they run again; later on free heap, in the first pause after work. Ends when cancelled.
/// `clock` outlives the task. Thread: any, once a process.
async::Task<void> settle(async::Clock& clock);

/// Finds pauses after work in what the processor time of the process was at each look.
class PauseWatch {
 public:
  static constexpr std::chrono::milliseconds kWork{200};

  /// True at the first look, and when less than kWork went by since the last one, but at least as
  /// much since it was true.
  bool look(std::chrono::nanoseconds used);

 private:
  std::optional<std::chrono::nanoseconds> tidied_;
  std::chrono::nanoseconds last_{};
};

}  // namespace app
