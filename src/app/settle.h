#pragma once

#include "async/clock.h"
#include "async/task.h"

namespace app {

/// Some seconds after the start of a program that goes on for months: gives back what only its
/// start needed, heap and pages of code. What of the code is needed again is in the page cache.
async::Task<void> settle(async::Clock& clock);

}  // namespace app
