#include "addon/abilities.h"

#include <algorithm>

#include "addon/names.h"
#include "base/log.h"

namespace addon {
namespace {

using base::Code;

constexpr std::string_view kInstallOcm =
    "install Open Cluster Management on this hub first (clusteradm init)";

json::string text(std::string_view view) { return json::string(view.data(), view.size()); }

bool any_named(const json::value& answer, std::string_view list, std::string_view member,
               std::string_view name) {
  const auto* object = answer.if_object();
  const auto* items = object != nullptr ? object->if_contains(text(list)) : nullptr;
  if (items == nullptr || !items->is_array()) return false;
  return std::ranges::any_of(items->get_array(), [&](const json::value& each) {
    return each.is_object() && kube::text_at(each.get_object(), member) == name;
  });
}

kube::Task<std::string> addon_version(kube::Client& client) {
  const auto answer = co_await client.send(kube::get_path(fmt::format("/apis/{}", kAddonGroup)));
  if (!answer && answer.error().is_not_found()) {
    co_return std::unexpected(
        kube::Error(Code::unavailable,
                    fmt::format("the API server does not serve {}: {}", kAddonGroup, kInstallOcm)));
  }
  if (!answer) co_return std::unexpected(answer.error());
  for (const std::string version : {"v1beta1", "v1alpha1"}) {
    if (any_named(*answer, "versions", "version", version)) co_return version;
  }
  co_return std::unexpected(kube::Error(
      Code::unavailable,
      fmt::format("the API server serves neither v1beta1 nor v1alpha1 of {}: upgrade this program",
                  kAddonGroup)));
}

kube::Task<bool> serves(kube::Client& client, std::string group_version, std::string resource) {
  const auto answer = co_await client.send(kube::get_path("/apis/" + group_version));
  if (!answer && answer.error().is_not_found()) co_return false;
  if (!answer) co_return std::unexpected(answer.error());
  co_return any_named(*answer, "resources", "name", resource);
}

struct Right {
  std::string_view verb;
  std::string_view group;
  std::string_view resource;
};

kube::Task<bool> may(kube::Client& client, Right right) {
  const json::object attributes{
      {"verb", text(right.verb)}, {"group", text(right.group)}, {"resource", text(right.resource)}};
  const json::object review{{"apiVersion", "authorization.k8s.io/v1"},
                            {"kind", "SelfSubjectAccessReview"},
                            {"spec", json::object{{"resourceAttributes", attributes}}}};
  const kube::Api reviews({"authorization.k8s.io", "v1", "selfsubjectaccessreviews"}, "");
  CO_TRY(const auto answer, co_await client.send(reviews.create(review)));
  co_return answer.is_object() &&
      kube::true_at(kube::object_at(answer.get_object(), "status"), "allowed");
}

/// The fork's API; the rules of the reference's chart do not know it.
kube::Task<bool> has_service_resolvers(kube::Client& client) {
  constexpr std::string_view kResolvers = "managedproxyserviceresolvers";
  CO_TRY(const bool is_served,
         co_await serves(client, std::string(kProxyApiVersion), std::string(kResolvers)));
  if (!is_served) co_return false;
  co_return co_await may(client, {"list", kProxyGroup, kResolvers});
}

}  // namespace

kube::Task<HubAbilities> find_abilities(kube::Client& client, bool want_cluster_profiles) {
  HubAbilities found;
  CO_TRY(found.addon_version, co_await addon_version(client));
  CO_TRY(found.deployment_configs,
         co_await serves(client, fmt::format("{}/{}", kAddonGroup, found.addon_version),
                         std::string(kDeploymentConfigResource)));
  if (!found.deployment_configs) {
    LOG_WARN(
        "this hub is older than AddOnDeploymentConfigs: it installs the add-on on no cluster by "
        "itself, so every ManagedClusterAddOn has to be made by hand, and is served as it is");
  }
  // The chart's enableImpersonation=false takes this right away.
  CO_TRY(found.cluster_roles, co_await may(client, {"create", kRbacGroup, "clusterroles"}));
  CO_TRY(found.service_resolvers, co_await has_service_resolvers(client));
  if (want_cluster_profiles) {
    CO_TRY(found.cluster_profiles,
           co_await serves(client, "multicluster.x-k8s.io/v1alpha1", "clusterprofiles"));
    if (!found.cluster_profiles) {
      LOG_WARN(
          "the gate ClusterProfile is on, but there are no ClusterProfiles; install their CRD "
          "and restart");
    }
  }
  LOG_INFO("the hub's abilities", {"addon_api", found.addon_version},
           {"deployment_configs", found.deployment_configs}, {"cluster_roles", found.cluster_roles},
           {"cluster_profiles", found.cluster_profiles},
           {"service_resolvers", found.service_resolvers});
  co_return found;
}

}  // namespace addon
