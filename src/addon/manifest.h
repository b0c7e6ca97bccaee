#pragma once

#include <string_view>

#include "addon/canonical_json.h"

/// The manifests under deploy/, which are part of the program.
namespace addon {

/// `deploy/<name>.yaml` with each `${variable}` filled in. A text that is one variable and nothing
/// else becomes that variable's value, of whatever kind; a variable that is null takes its member,
/// or its element of a list, along. Within longer text a variable must be text or an integer.
/// Asking for a file or a variable that is not there is a bug of the caller and aborts.
json::object manifest(std::string_view name, const json::object& variables);

}  // namespace addon
