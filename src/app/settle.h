#pragma once

#include "async/clock.h"
#include "async/task.h"

namespace app {

/// Ten seconds after the start of a program that goes on for months: gives the system back what
/// only the start needed, free heap and pages of code. Code that runs again comes from the page
/// cache. Ends by itself, or when cancelled. `clock` outlives the task. Thread: any, once a
/// process.
async::Task<void> settle(async::Clock& clock);

}  // namespace app
