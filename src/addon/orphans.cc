#include "addon/orphans.h"

#include <algorithm>

#include "addon/names.h"
#include "addon/object.h"

namespace addon {
namespace {

std::string_view group_of(const json::object& manifest) {
  const auto version = text_at(manifest, "apiVersion");
  const auto slash = version.find('/');
  return slash == version.npos ? std::string_view() : version.substr(0, slash);
}

json::object rule(const json::object& manifest) {
  return {{"group", group_of(manifest)},
          {"resource", plural_of(text_at(manifest, "kind"))},
          {"name", name_of(manifest)},
          {"namespace", namespace_of(manifest)}};
}

}  // namespace

std::string plural_of(std::string_view kind) {
  std::string plural(kind);
  std::ranges::transform(plural, plural.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  if (plural == "endpoints" || plural.empty()) return plural;
  if (plural.ends_with('s')) return plural + "es";
  if (plural.ends_with('y')) return plural.substr(0, plural.size() - 1) + "ies";
  return plural + "s";
}

json::value orphaning_delete_option(const std::vector<json::object>& manifests) {
  json::array rules;
  for (const auto& manifest : manifests) {
    const auto& annotations = object_at(object_at(manifest, "metadata"), "annotations");
    if (has(annotations, kDeletionOrphanAnnotation)) rules.push_back(rule(manifest));
  }
  if (rules.empty()) return nullptr;
  return {{"propagationPolicy", "SelectivelyOrphan"},
          {"selectivelyOrphans", {{"orphaningRules", std::move(rules)}}}};
}

}  // namespace addon
