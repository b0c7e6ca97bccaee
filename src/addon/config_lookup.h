#pragma once

#include "addon/addon_configs.h"
#include "addon/hub.h"

namespace addon {

/// Finds configurations of the two kinds that we follow in the hub's caches. What it returns is
/// valid until the next suspension.
ConfigLookup config_lookup(const Hub& hub);

}  // namespace addon
