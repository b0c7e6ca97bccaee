#pragma once

#include <string>
#include <string_view>

#include <boost/json/array.hpp>

#include "kube/json.h"

namespace addon {

namespace json = kube::json;

/// The bytes that Go's encoding/json makes of `value` held in maps: compact, keys sorted bytewise,
/// < > & U+2028 U+2029 escaped, floats in Go's shortest form. Hashes of these bytes are compared
/// with those of the Go manager and of OCM.
std::string canonical_json(const json::value& value);

/// OCM's specHash of a configuration, and our rendered hash of an object: SHA-256, 64 lower-case
/// hex digits, over all but apiVersion, kind, metadata and status.
std::string spec_hash(const json::object& object);

}  // namespace addon
