#include "tunnel/server/handover.h"

namespace tunnel {

async::Task<void> agents_have_come(async::Clock& clock, async::Duration limit,
                                   std::function<std::size_t()> agents) {
  constexpr async::Duration kQuiet = std::chrono::milliseconds(500);
  constexpr async::Duration kLookAgain = std::chrono::milliseconds(20);
  const auto deadline = clock.now() + limit;
  std::size_t known = 0;
  for (auto since = clock.now(); clock.now() < deadline;) {
    if (agents() != known) since = clock.now();
    known = agents();
    if (known > 0 && clock.now() - since >= kQuiet) break;
    CO_TRY_VOID(co_await clock.sleep_for(kLookAgain));
  }
  co_return base::Result<void>{};
}

}  // namespace tunnel
