#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "addon/canonical_json.h"

/// Reading and building objects, beside kube/json.h. What is missing or of another kind reads as
/// empty.
namespace addon {

using kube::integer_at;
using kube::name_of;
using kube::namespace_of;
using kube::object_at;
using kube::text_at;
using kube::true_at;

const json::array& array_at(const json::object& parent, std::string_view name);
/// The texts of a list; elements of another kind are left out.
std::vector<std::string> texts_at(const json::object& parent, std::string_view name);
json::array texts(const std::vector<std::string>& list);

bool has(const json::object& parent, std::string_view name);
/// `parent[name] = value` for a name that is a view.
void put(json::object& parent, std::string_view name, json::value value);
/// The member as an object, made when it is absent or of another kind.
json::object& make_object(json::object& parent, std::string_view name);
json::array& make_array(json::object& parent, std::string_view name);

std::string_view uid_of(const json::object& object);
std::string_view annotation_of(const json::object& object, std::string_view key);
std::string_view label_of(const json::object& object, std::string_view key);
bool is_being_deleted(const json::object& object);

/// Null, "", 0, false, {} and [] are what Go's omitempty leaves out.
bool is_empty(const json::value& value);
/// std::ranges::contains, which libstdc++ 12 has not.
template <typename Range, typename Value>
bool contains(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

/// `value`, or null when it is empty.
json::value unless_empty(json::value value);
/// Whether a template would take the member for true: text is, even "false".
bool is_truthy(const json::object& parent, std::string_view name);
/// Equal but for members and elements that are null, {} or [] on one side and absent on the other.
bool semantically_equal(const json::value& a, const json::value& b);

}  // namespace addon
