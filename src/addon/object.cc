#include "addon/object.h"

#include <algorithm>

namespace addon {
namespace {

json::string_view key(std::string_view name) { return {name.data(), name.size()}; }

/// Null, {} and []: what says nothing, whatever it says nothing about.
bool is_nothing(const json::value& value) {
  return value.is_null() || (value.is_object() && value.get_object().empty()) ||
         (value.is_array() && value.get_array().empty());
}

bool covers_members(const json::object& a, const json::object& b) {
  return std::ranges::all_of(a, [&](const auto& member) {
    const auto* other = b.if_contains(member.key());
    return other != nullptr ? semantically_equal(member.value(), *other)
                            : is_nothing(member.value());
  });
}

bool has_no_more(const json::object& a, const json::object& b) {
  return std::ranges::all_of(b, [&](const auto& member) {
    return a.contains(member.key()) || is_nothing(member.value());
  });
}

}  // namespace

const json::array& array_at(const json::object& parent, std::string_view name) {
  static const json::array empty;
  const auto* value = parent.if_contains(key(name));
  const auto* array = value != nullptr ? value->if_array() : nullptr;
  return array != nullptr ? *array : empty;
}

std::vector<std::string> texts_at(const json::object& parent, std::string_view name) {
  std::vector<std::string> list;
  for (const auto& element : array_at(parent, name)) {
    if (const auto* text = element.if_string()) list.emplace_back(*text);
  }
  return list;
}

json::array texts(const std::vector<std::string>& list) {
  json::array array;
  for (const auto& text : list) array.emplace_back(text);
  return array;
}

bool has(const json::object& parent, std::string_view name) { return parent.contains(key(name)); }

void put(json::object& parent, std::string_view name, json::value value) {
  parent[key(name)] = std::move(value);
}

json::object& make_object(json::object& parent, std::string_view name) {
  auto& member = parent[key(name)];
  return member.is_object() ? member.get_object() : member.emplace_object();
}

json::array& make_array(json::object& parent, std::string_view name) {
  auto& member = parent[key(name)];
  return member.is_array() ? member.get_array() : member.emplace_array();
}

std::string_view uid_of(const json::object& object) {
  return text_at(object_at(object, "metadata"), "uid");
}

std::string_view annotation_of(const json::object& object, std::string_view key) {
  return text_at(object_at(object_at(object, "metadata"), "annotations"), key);
}

std::string_view label_of(const json::object& object, std::string_view key) {
  return text_at(object_at(object_at(object, "metadata"), "labels"), key);
}

bool is_being_deleted(const json::object& object) {
  return !text_at(object_at(object, "metadata"), "deletionTimestamp").empty();
}

bool is_empty(const json::value& value) {
  switch (value.kind()) {
    case json::kind::bool_:
      return !value.get_bool();
    case json::kind::int64:
      return value.get_int64() == 0;
    case json::kind::string:
      return value.get_string().empty();
    default:
      return is_nothing(value);
  }
}

json::value unless_empty(json::value value) {
  return is_empty(value) ? json::value() : std::move(value);
}

bool is_truthy(const json::object& parent, std::string_view name) {
  const auto* value = parent.if_contains(key(name));
  return value != nullptr && !is_empty(*value);
}

bool semantically_equal(const json::value& a, const json::value& b) {
  if (is_nothing(a) && is_nothing(b)) return true;
  if (a.is_object() && b.is_object()) {
    return covers_members(a.get_object(), b.get_object()) &&
           has_no_more(a.get_object(), b.get_object());
  }
  if (a.is_array() && b.is_array()) {
    return std::ranges::equal(a.get_array(), b.get_array(), semantically_equal);
  }
  return a == b;
}

}  // namespace addon
