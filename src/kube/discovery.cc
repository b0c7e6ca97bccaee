#include "kube/discovery.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "http/url.h"
#include "kube/request.h"

namespace kube {

namespace {

/// The objects among the members of the list `name`.
std::vector<const json::object*> objects_at(const json::object& parent, std::string_view name) {
  std::vector<const json::object*> found;
  for (const auto& each : array_at(parent, name)) {
    if (const auto* object = each.if_object()) found.push_back(object);
  }
  return found;
}

std::vector<std::string> texts_at(const json::object& parent, std::string_view name) {
  std::vector<std::string> found;
  for (const auto& each : array_at(parent, name)) {
    if (const auto* text = each.if_string()) found.emplace_back(text->data(), text->size());
  }
  return found;
}

ServedGroup read_group(const json::object& object) {
  ServedGroup group{
      .name = std::string(text_at(object, "name")),
      .preferred = std::string(text_at(object_at(object, "preferredVersion"), "version"))};
  for (const auto* each : objects_at(object, "versions")) {
    group.versions.emplace_back(text_at(*each, "version"));
  }
  return group;
}

ServedResource read_resource(const json::object& object) {
  return {.name = std::string(text_at(object, "name")),
          .kind = std::string(text_at(object, "kind")),
          .namespaced = true_at(object, "namespaced"),
          .verbs = texts_at(object, "verbs")};
}

Task<ServedGroup> discover_core(Client& client) {
  CO_TRY(const auto answer, co_await client.send_for_object(get_path("/api")));
  ServedGroup core{.versions = texts_at(answer, "versions")};
  if (!core.versions.empty()) core.preferred = core.versions.front();
  co_return core;
}

}  // namespace

bool ServedGroup::serves(std::string_view version) const {
  return std::ranges::find(versions, version) != versions.end();
}

Task<std::optional<ServedGroup>> discover_group(Client& client, std::string group) {
  if (group.empty()) {
    CO_TRY(auto core, co_await discover_core(client));
    co_return core;
  }
  const auto path = "/apis/" + http::percent_encode(group);
  auto answer = co_await client.send_for_object(get_path(path));
  if (!answer && answer.error().is_not_found()) co_return std::nullopt;
  if (!answer) co_return std::unexpected(std::move(answer).error());
  co_return read_group(*answer);
}

Task<std::vector<ServedGroup>> discover_groups(Client& client) {
  CO_TRY(const auto answer, co_await client.send_for_object(get_path("/apis")));
  std::vector<ServedGroup> groups;
  for (const auto* each : objects_at(answer, "groups")) groups.push_back(read_group(*each));
  co_return groups;
}

Task<std::vector<ServedResource>> discover_resources(Client& client, std::string group,
                                                     std::string version) {
  const auto base = group.empty() ? "/api" : "/apis/" + http::percent_encode(group);
  const auto path = fmt::format("{}/{}", base, http::percent_encode(version));
  CO_TRY(const auto answer, co_await client.send_for_object(get_path(path)));
  std::vector<ServedResource> resources;
  for (const auto* each : objects_at(answer, "resources")) {
    resources.push_back(read_resource(*each));
  }
  co_return resources;
}

const ServedResource* find_resource(const std::vector<ServedResource>& resources,
                                    std::string_view name_or_kind) {
  const auto found = std::ranges::find_if(resources, [&](const ServedResource& each) {
    return each.name == name_or_kind || (each.kind == name_or_kind && !each.name.contains('/'));
  });
  return found == resources.end() ? nullptr : &*found;
}

}  // namespace kube
