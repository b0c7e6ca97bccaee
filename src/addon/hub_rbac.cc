#include "addon/hub_rbac.h"

#include <algorithm>

#include "addon/names.h"
#include "addon/object.h"

namespace addon {
namespace {

json::object subject(std::string_view kind, std::string_view name) {
  return {{"apiGroup", kRbacGroup}, {"kind", kind}, {"name", name}};
}

json::object rule(std::string_view group, std::string_view resource, std::string_view verb) {
  return {{"apiGroups", json::array{group}},
          {"resources", json::array{resource}},
          {"verbs", json::array{verb}}};
}

json::object role(std::string_view kind, json::object metadata, json::object rule) {
  return {{"apiVersion", kRbacApiVersion},
          {"kind", kind},
          {"metadata", std::move(metadata)},
          {"rules", json::array{std::move(rule)}}};
}

json::object binding(std::string_view role_kind, json::object metadata, json::array subjects) {
  const std::string kind = std::string(role_kind) + "Binding";
  const json::value name = metadata.at("name");
  return {{"apiVersion", kRbacApiVersion},
          {"kind", kind},
          {"metadata", std::move(metadata)},
          {"roleRef", {{"apiGroup", kRbacGroup}, {"kind", role_kind}, {"name", name}}},
          {"subjects", std::move(subjects)}};
}

json::object owner(const json::object& addon) {
  return {{"apiVersion", kAddonApiVersion},
          {"kind", kAddonKind},
          {"name", name_of(addon)},
          {"uid", uid_of(addon)},
          {"blockOwnerDeletion", true}};
}

/// The ClusterManagementAddOn, as the addon names it among its owners: uninstalling removes it.
/// None: nobody owns what is made.
json::array management_owners(const json::object& addon) {
  for (const auto& each : array_at(object_at(addon, "metadata"), "ownerReferences")) {
    if (!each.is_object() || text_at(each.get_object(), "kind") != kManagementAddonKind) continue;
    const auto& found = each.get_object();
    return {json::object{{"apiVersion", text_at(found, "apiVersion")},
                         {"kind", kManagementAddonKind},
                         {"name", text_at(found, "name")},
                         {"uid", text_at(found, "uid")}}};
  }
  return {};
}

/// Those of other clusters first, as they stand; then ours that are new.
json::array united(const json::array& live, const json::array& ours) {
  json::array all = live;
  for (const auto& each : ours) {
    if (!contains(all, each)) all.push_back(each);
  }
  return all;
}

}  // namespace

json::array agent_subjects(const json::object& addon) {
  json::array subjects;
  for (const auto& each : array_at(object_at(addon, "status"), "registrations")) {
    if (!each.is_object() || text_at(each.get_object(), "type") != "kubeClient") continue;
    const auto& wanted = object_at(object_at(each.get_object(), "kubeClient"), "subject");
    const auto user = text_at(wanted, "user");
    if (!user.empty()) subjects.push_back(subject("User", user));
    for (const auto& group : texts_at(wanted, "groups")) {
      if (group != "system:authenticated") subjects.push_back(subject("Group", group));
    }
    break;
  }
  return subjects;
}

std::vector<json::object> hub_rbac(const json::object& addon, const json::array& subjects,
                                   const HubRbacOptions& options,
                                   const json::object* live_binding) {
  const json::object namespaced = {{"name", kHubAgentRole},
                                   {"namespace", namespace_of(addon)},
                                   {"ownerReferences", json::array{owner(addon)}}};
  std::vector<json::object> objects;
  objects.push_back(role("Role", namespaced, rule("coordination.k8s.io", "leases", "*")));
  objects.push_back(binding("Role", namespaced, subjects));
  if (!options.token_review) return objects;
  json::object cluster_wide = {{"name", kTokenReviewRole}};
  if (auto owners = management_owners(addon); !owners.empty()) {
    cluster_wide["ownerReferences"] = std::move(owners);
  }
  objects.push_back(
      role("ClusterRole", cluster_wide, rule("authentication.k8s.io", "tokenreviews", "create")));
  const auto all =
      live_binding == nullptr ? subjects : united(array_at(*live_binding, "subjects"), subjects);
  objects.push_back(binding("ClusterRole", cluster_wide, all));
  return objects;
}

bool has_owners(const json::object& live, const json::object& wanted) {
  const auto& owners = array_at(object_at(live, "metadata"), "ownerReferences");
  return std::ranges::all_of(
      array_at(object_at(wanted, "metadata"), "ownerReferences"), [&](const json::value& each) {
        return std::ranges::any_of(owners, [&](const json::value& owner) {
          return owner.is_object() &&
                 text_at(owner.get_object(), "uid") == text_at(each.get_object(), "uid");
        });
      });
}

bool rbac_differs(const json::object& live, const json::object& wanted) {
  return std::ranges::any_of(std::array{"rules", "subjects"},
                             [&](const char* name) {
                               return !semantically_equal(array_at(live, name),
                                                          array_at(wanted, name));
                             }) ||
         needs_recreation(live, wanted);
}

bool needs_recreation(const json::object& live, const json::object& wanted) {
  return object_at(live, "roleRef") != object_at(wanted, "roleRef");
}

}  // namespace addon
