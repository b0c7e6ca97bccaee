#include "addon/conditions.h"

#include <algorithm>

#include "addon/object.h"

namespace addon {
namespace {

bool is_of(const json::value& condition, std::string_view type) {
  return condition.is_object() && text_at(condition.get_object(), "type") == type;
}

}  // namespace

void set_condition(json::object& holder, const Condition& condition, kube::WallTime now) {
  auto& conditions = make_array(holder, "conditions");
  const auto found = std::ranges::find_if(
      conditions, [&](const auto& each) { return is_of(each, condition.type); });
  const std::string_view status = condition.status ? "True" : "False";
  auto& object = found != conditions.end() ? found->get_object()
                                           : conditions.emplace_back(json::object()).get_object();
  if (text_at(object, "status") != status || text_at(object, "lastTransitionTime").empty()) {
    object["lastTransitionTime"] = kube::format_time(now);
  }
  object["type"] = condition.type;
  object["status"] = status;
  object["reason"] = condition.reason;
  object["message"] = condition.message;
}

void remove_condition(json::object& holder, std::string_view type) {
  if (!has(holder, "conditions")) return;
  auto& conditions = make_array(holder, "conditions");
  const auto found =
      std::ranges::find_if(conditions, [&](const auto& each) { return is_of(each, type); });
  if (found != conditions.end()) conditions.erase(found);
}

const json::object* find_condition(const json::object& object, std::string_view type) {
  const auto& conditions = array_at(object_at(object, "status"), "conditions");
  const auto found =
      std::ranges::find_if(conditions, [&](const auto& each) { return is_of(each, type); });
  return found != conditions.end() ? &found->get_object() : nullptr;
}

bool condition_is_true(const json::object& object, std::string_view type) {
  const auto* condition = find_condition(object, type);
  return condition != nullptr && text_at(*condition, "status") == "True";
}

}  // namespace addon
