#include "app/quiet.h"

namespace app {

async::Task<void> until_quiet(async::Clock& clock, std::function<bool()> busy, QuietLimits limits) {
  for (auto since = clock.now(); clock.now() - since < limits.quiet;) {
    CO_TRY_VOID(co_await clock.sleep_for(limits.look_again));
    if (busy()) since = clock.now();
  }
  co_return base::Result<void>{};
}

}  // namespace app
