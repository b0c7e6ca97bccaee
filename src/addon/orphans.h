#pragma once

#include <vector>

#include "addon/canonical_json.h"

namespace addon {

/// spec.deleteOption of a work, by which the manifests annotated so stay on the managed cluster
/// when the work goes; null when there are none.
json::value orphaning_delete_option(const std::vector<json::object>& manifests);

/// The plural of a kind, guessed as OCM's work agent expects it: "NetworkPolicy" ->
/// "networkpolicies".
std::string plural_of(std::string_view kind);

}  // namespace addon
