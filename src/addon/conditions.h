#pragma once

#include <string>
#include <string_view>

#include "addon/canonical_json.h"
#include "kube/time.h"

namespace addon {

struct Condition {
  std::string type;
  bool status = true;
  std::string reason;
  std::string message;
};
/// Sets a condition by type. lastTransitionTime moves only when `status` changes. `holder` is a
/// status, or whatever has the array `conditions`.
void set_condition(json::object& holder, const Condition& condition, kube::WallTime now);
void remove_condition(json::object& holder, std::string_view type);
/// The condition of an object's status; nullptr when there is none.
const json::object* find_condition(const json::object& object, std::string_view type);
bool condition_is_true(const json::object& object, std::string_view type);

}  // namespace addon
