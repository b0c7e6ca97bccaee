#include "differences.h"

#include <algorithm>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "addon/object.h"

namespace golden {
namespace {

using addon::canonical_json;

void walk(std::string path, const json::value& a, const json::value& b,
          std::vector<Difference>& out);

void walk_objects(const std::string& path, const json::object& a, const json::object& b,
                  std::vector<Difference>& out) {
  std::set<std::string> keys;
  for (const auto& member : a) keys.insert(member.key());
  for (const auto& member : b) keys.insert(member.key());
  for (const auto& key : keys) {
    const auto* left = a.if_contains(key);
    const auto* right = b.if_contains(key);
    walk(path.empty() ? key : fmt::format("{}.{}", path, key), left ? *left : json::value(),
         right ? *right : json::value(), out);
  }
}

void walk_arrays(const std::string& path, const json::array& a, const json::array& b,
                 std::vector<Difference>& out) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    walk(fmt::format("{}[{}]", path, i), i < a.size() ? a[i] : json::value(),
         i < b.size() ? b[i] : json::value(), out);
  }
}

void walk(std::string path, const json::value& a, const json::value& b,
          std::vector<Difference>& out) {
  if (a.is_object() && b.is_object())
    return walk_objects(path, a.get_object(), b.get_object(), out);
  if (a.is_array() && b.is_array()) return walk_arrays(path, a.get_array(), b.get_array(), out);
  if (canonical_json(a) == canonical_json(b)) return;
  out.push_back({std::move(path), canonical_json(a), canonical_json(b)});
}

/// "*" stands for anything, also nothing.
bool fits(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() != '*') {
    return !text.empty() && pattern.front() == text.front() &&
           fits(pattern.substr(1), text.substr(1));
  }
  return fits(pattern.substr(1), text) || (!text.empty() && fits(pattern, text.substr(1)));
}

}  // namespace

std::vector<Difference> compare(const json::value& reference, const json::value& ours) {
  std::vector<Difference> out;
  walk("", reference, ours, out);
  return out;
}

ListedDifferences::ListedDifferences() {
  const auto file = YAML::LoadFile(GOLDEN_DIFFERENCES);
  for (const auto& entry : file["differences"]) {
    const auto id = entry["id"].as<std::string>();
    for (const auto& place : entry["where"]) {
      places_.push_back({.id = id,
                         .stage = place["stage"].as<std::string>("*"),
                         .object = place["object"].as<std::string>(),
                         .path = place["path"].as<std::string>()});
      uses_[id] = 0;
    }
  }
}

bool ListedDifferences::allows(std::string_view stage, std::string_view object,
                               std::string_view path) {
  for (const auto& place : places_) {
    if (fits(place.stage, stage) && fits(place.object, object) && fits(place.path, path)) {
      ++uses_[place.id];
      return true;
    }
  }
  return false;
}

std::vector<std::string> ListedDifferences::unused() const {
  std::vector<std::string> ids;
  for (const auto& [id, count] : uses_) {
    if (count == 0) ids.push_back(id);
  }
  return ids;
}

}  // namespace golden
