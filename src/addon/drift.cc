#include "addon/drift.h"

#include <algorithm>

namespace addon {
namespace {

bool is_empty(const json::value& value) {
  return value.is_null() || (value.is_object() && value.get_object().empty()) ||
         (value.is_array() && value.get_array().empty());
}

bool covers(const json::value& live, const json::value& wanted);

/// "" and a targetPort of 0 leave the choice to the server.
bool leaves_open(const json::key_value_pair& wanted) {
  const auto& value = wanted.value();
  const bool is_zero = value.is_int64() && value.get_int64() == 0;
  return is_empty(value) || (value.is_string() && value.get_string().empty()) ||
         (is_zero && wanted.key() == "targetPort");
}

bool covers(const json::object& live, const json::object& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& member) {
    if (leaves_open(member)) return true;
    const auto* there = live.if_contains(member.key());
    return there != nullptr && covers(*there, member.value());
  });
}

bool covers(const json::array& live, const json::array& wanted) {
  return std::ranges::equal(live, wanted, [](const json::value& left, const json::value& right) {
    return covers(left, right);
  });
}

bool covers(const json::value& live, const json::value& wanted) {
  if (wanted.is_object() && live.is_object()) return covers(live.get_object(), wanted.get_object());
  if (wanted.is_array() && live.is_array()) return covers(live.get_array(), wanted.get_array());
  return live == wanted || (is_empty(live) && is_empty(wanted));
}

}  // namespace

bool lacks(const json::object& live, const json::object& wanted) {
  return std::ranges::any_of(wanted, [&](const auto& member) {
    if (member.key() == "metadata" || member.key() == "status") return false;
    const auto* there = live.if_contains(member.key());
    return there != nullptr ? !covers(*there, member.value()) : !is_empty(member.value());
  });
}

}  // namespace addon
