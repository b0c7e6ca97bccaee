#include "kube/testing/fake_paths.h"

#include <utility>

#include "kube/json.h"

namespace kube::testing {
namespace {

constexpr std::string_view kNamespaces = "/namespaces/";

bool is_one_name(std::string_view text) {
  return !text.empty() && text.find('/') == std::string_view::npos;
}

json::object& member(json::object& parent, const char* name) {
  auto& value = parent[name];
  if (!value.is_object()) value = json::object();
  return value.get_object();
}

void keep(json::object& into, const json::object& from, const char* name) {
  if (const auto* value = from.if_contains(name)) {
    into[name] = *value;
  } else {
    into.erase(name);
  }
}

}  // namespace

bool is_inside(std::string_view collection, std::string_view path) {
  if (path.starts_with(collection) && path.substr(collection.size()).starts_with('/'))
    return is_one_name(path.substr(collection.size() + 1));
  const auto slash = collection.rfind('/');
  const auto base = collection.substr(0, slash);
  const auto plural = collection.substr(slash + 1);
  if (!path.starts_with(base) || !path.substr(base.size()).starts_with(kNamespaces)) return false;
  const auto rest = path.substr(base.size() + kNamespaces.size());
  const auto after = rest.find('/');
  if (after == rest.npos) return false;
  const auto tail = rest.substr(after + 1);
  return tail.starts_with(plural) && tail.substr(plural.size()).starts_with('/') &&
         is_one_name(tail.substr(plural.size() + 1));
}

Target target_of(std::string_view path) {
  for (const std::string_view part : {"status", "approval", "scale"}) {
    if (path.ends_with(part) && path.substr(0, path.size() - part.size()).ends_with('/'))
      return {std::string(path.substr(0, path.size() - part.size() - 1)), std::string(part)};
  }
  return {std::string(path), ""};
}

json::object as_created(json::object object, std::string_view collection, const std::string& uid) {
  auto& metadata = member(object, "metadata");
  metadata["uid"] = uid;
  metadata["generation"] = 1;
  if (const auto place = collection.find(kNamespaces); place != collection.npos) {
    const auto rest = collection.substr(place + kNamespaces.size());
    const auto name = rest.substr(0, rest.find('/'));
    metadata["namespace"] = json::string(name.data(), name.size());
  }
  return object;
}

json::object as_written(const json::object& current, json::object wanted, std::string_view part) {
  if (!part.empty()) {
    json::object written = current;
    keep(written, wanted, "status");
    return written;
  }
  keep(wanted, current, "status");
  auto& metadata = member(wanted, "metadata");
  keep(metadata, object_at(current, "metadata"), "uid");
  const auto was = integer_at(object_at(current, "metadata"), "generation").value_or(1);
  const bool changed = object_at(current, "spec") != object_at(wanted, "spec");
  metadata["generation"] = changed ? was + 1 : was;
  return wanted;
}

}  // namespace kube::testing
