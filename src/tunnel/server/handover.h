#pragma once

#include <functional>

#include "async/clock.h"
#include "async/task.h"

namespace tunnel {

/// What the first clients of a new server wait for: agents have come, the last of them half a
/// second ago, for after the exchange of a server all come at once. Returns after `limit` in any
/// case.
async::Task<void> agents_have_come(async::Clock& clock, async::Duration limit,
                                   std::function<std::size_t()> agents);

}  // namespace tunnel
