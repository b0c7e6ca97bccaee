#pragma once

#include "kube/json.h"

namespace addon {

namespace json = kube::json;

/// Whether something that `wanted` says is missing from `live` or otherwise there. What `live` has
/// beyond that, such as defaults, does not count; a status never does.
bool lacks(const json::object& live, const json::object& wanted);

}  // namespace addon
