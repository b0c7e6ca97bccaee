#pragma once

#include "addon/hub.h"

namespace addon {

/// Asks the API server what it serves and what we may do there. `want_cluster_profiles` is the
/// feature gate. Code::unavailable when the add-on API is not there at all: OCM is not installed.
kube::Task<HubAbilities> find_abilities(kube::Client& client, bool want_cluster_profiles);

}  // namespace addon
