#pragma once

#include "http/routes.h"

namespace app {

/// /debug/pprof and what is below it: says how this program is profiled. Go's profiles are not
/// imitated (docs/decisions/0006-profiling.md).
void add_profiling(http::Routes& routes);

}  // namespace app
