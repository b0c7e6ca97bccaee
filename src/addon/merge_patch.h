#pragma once

#include <optional>

#include "addon/canonical_json.h"

namespace addon {

/// RFC 7386: what turns `before` into `after`; nothing when they are the same (absent = null =
/// empty). Lists travel whole.
std::optional<json::object> merge_patch(const json::object& before, const json::object& after);

/// The body of a PATCH of .../status that gives `object` this status, guarded by uid and
/// resourceVersion; nothing when nothing changes.
std::optional<json::object> status_patch(const json::object& object, const json::object& status);

/// Adds the uid and resourceVersion of `object` to a patch, so that it fails on any other version.
void guard(json::object& patch, const json::object& object);

}  // namespace addon
