#include "addon/merge_patch.h"

#include "addon/object.h"

namespace addon {
namespace {

json::value difference(const json::value& before, const json::value& after) {
  if (!before.is_object() || !after.is_object()) return after;
  return merge_patch(before.get_object(), after.get_object()).value_or(json::object());
}

}  // namespace

std::optional<json::object> merge_patch(const json::object& before, const json::object& after) {
  json::object patch;
  for (const auto& member : after) {
    const auto* was = before.if_contains(member.key());
    const json::value nothing;
    const auto& old = was != nullptr ? *was : nothing;
    if (!semantically_equal(old, member.value())) {
      patch[member.key()] = difference(old, member.value());
    }
  }
  for (const auto& member : before) {
    const bool gone = !after.contains(member.key());
    if (gone && !semantically_equal(member.value(), nullptr)) patch[member.key()] = nullptr;
  }
  return patch.empty() ? std::nullopt : std::optional(std::move(patch));
}

std::optional<json::object> status_patch(const json::object& object, const json::object& status) {
  auto change = merge_patch(object_at(object, "status"), status);
  if (!change) return std::nullopt;
  json::object patch = {{"status", *std::move(change)}};
  guard(patch, object);
  return patch;
}

void guard(json::object& patch, const json::object& object) {
  auto& metadata = make_object(patch, "metadata");
  put(metadata, "uid", json::value(uid_of(object)));
  put(metadata, "resourceVersion", json::value(kube::resource_version_of(object)));
}

}  // namespace addon
