#pragma once

#include <functional>

#include "async/clock.h"
#include "async/task.h"

namespace app {

/// How long nobody may have used a program that is stopping before it ends.
struct QuietLimits {
  async::Duration quiet = std::chrono::seconds(5);
  async::Duration look_again = std::chrono::milliseconds(100);
};

/// Returns once `busy` has said no for as long as `limits` ask, without a break. `clock` outlives
/// the task, which asks on its own thread.
async::Task<void> until_quiet(async::Clock& clock, std::function<bool()> busy,
                              QuietLimits limits = {});

}  // namespace app
