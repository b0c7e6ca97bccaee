#include "addon/hub.h"

#include <utility>

#include "addon/merge_patch.h"
#include "addon/names.h"
#include "addon/v1alpha1.h"

namespace addon {
namespace {

using controller::Informer;

kube::Api everywhere(std::string_view group, std::string_view version, std::string_view plural) {
  return {{std::string(group), std::string(version), std::string(plural)}, ""};
}

Informer::Options labelled_as_ours() {
  Informer::Options options;
  options.label_selector = fmt::format("{} in ({})", kAddonNameLabel, kAddonName);
  return options;
}

Informer::Options named(std::string_view name) {
  Informer::Options options;
  options.field_selector = fmt::format("metadata.name={}", name);
  return options;
}

Informer::Options addon_options(const HubAbilities& abilities) {
  auto options = named(kAddonName);
  if (abilities.addon_version == "v1alpha1") options.trim = v1alpha1::to_v1beta1;
  return options;
}

/// Of a namespace only its name matters.
Informer::Options only_metadata() {
  Informer::Options options;
  options.trim = [](json::object& object) {
    object.erase("spec");
    object.erase("status");
  };
  return options;
}

kube::Api inside(std::string_view group, std::string_view plural, const std::string& name) {
  return {{std::string(group), "v1", std::string(plural)}, name};
}

json::object as_v1alpha1(json::object object) {
  object["status"] = v1alpha1::status_from_v1beta1(kube::object_at(object, "status"));
  return object;
}

constexpr std::string_view kClusterGroup = "cluster.open-cluster-management.io";

}  // namespace

HubNamespace::HubNamespace(async::Loop& loop, kube::Client& client, const std::string& name)
    : secrets(loop, client, inside("", "secrets", name)),
      services(loop, client, inside("", "services", name)),
      config_maps(loop, client, inside("", "configmaps", name), named(kTlsProfileConfigMap)),
      service_accounts(loop, client, inside("", "serviceaccounts", name)),
      deployments(loop, client, inside("apps", "deployments", name)),
      roles(loop, client, inside(kRbacGroup, "roles", name), named(kPortForwardRole)),
      role_bindings(loop, client, inside(kRbacGroup, "rolebindings", name),
                    named(kPortForwardRole)) {}

std::vector<CachedKind*> HubNamespace::kinds() {
  return {&secrets,     &services, &config_maps,  &service_accounts,
          &deployments, &roles,    &role_bindings};
}

Hub::Hub(async::Loop& loop, kube::Client& client, kube::EventRecorder& events,
         const HubAbilities& abilities)
    : clusters(loop, client, everywhere(kClusterGroup, "v1", "managedclusters")),
      addons(loop, client, everywhere(kAddonGroup, abilities.addon_version, "managedclusteraddons"),
             addon_options(abilities)),
      management_addons(loop, client,
                        everywhere(kAddonGroup, abilities.addon_version, "clustermanagementaddons"),
                        addon_options(abilities)),
      configurations(loop, client, everywhere(kProxyGroup, "v1alpha1", kConfigurationResource)),
      deployment_configs(
          loop, client,
          everywhere(kAddonGroup, abilities.addon_version, kDeploymentConfigResource)),
      works(loop, client, everywhere("work.open-cluster-management.io", "v1", "manifestworks"),
            labelled_as_ours()),
      requests(loop, client, everywhere("certificates.k8s.io", "v1", "certificatesigningrequests"),
               labelled_as_ours()),
      namespaces(loop, client, everywhere("", "v1", "namespaces"), only_metadata()),
      agent_roles(loop, client, everywhere(kRbacGroup, "v1", "roles"), named(kHubAgentRole)),
      agent_role_bindings(loop, client, everywhere(kRbacGroup, "v1", "rolebindings"),
                          named(kHubAgentRole)),
      loop_(loop),
      client_(client),
      events_(events),
      abilities_(abilities),
      tasks_(loop.get_executor()) {
  if (abilities.cluster_roles) {
    cluster_roles.emplace(loop, client, everywhere(kRbacGroup, "v1", "clusterroles"),
                          named(kTokenReviewRole));
    cluster_role_bindings.emplace(loop, client, everywhere(kRbacGroup, "v1", "clusterrolebindings"),
                                  named(kTokenReviewRole));
  }
  if (abilities.service_resolvers) {
    cluster_sets.emplace(loop, client, everywhere(kClusterGroup, "v1beta2", "managedclustersets"));
    service_resolvers.emplace(loop, client,
                              everywhere(kProxyGroup, "v1alpha1", "managedproxyserviceresolvers"));
  }
  if (abilities.cluster_profiles) {
    cluster_profiles.emplace(loop, client,
                             everywhere("multicluster.x-k8s.io", "v1alpha1", "clusterprofiles"));
  }
}

std::vector<CachedKind*> Hub::kinds() {
  std::vector<CachedKind*> all = {&clusters,       &addons,      &management_addons,
                                  &configurations, &works,       &requests,
                                  &namespaces,     &agent_roles, &agent_role_bindings};
  if (abilities_.deployment_configs) all.push_back(&deployment_configs);
  for (auto* optional : {&cluster_roles, &cluster_role_bindings, &cluster_sets, &service_resolvers,
                         &cluster_profiles}) {
    if (*optional) all.push_back(&**optional);
  }
  return all;
}

void Hub::start() {
  for (auto* kind : kinds()) tasks_.spawn("informer", kind->informer.run());
}

async::Task<void> Hub::synced() {
  for (auto* kind : kinds()) CO_TRY_VOID(co_await kind->informer.synced());
  co_return base::Result<void>{};
}

async::Awaitable<void> Hub::stop() {
  tasks_.cancel();
  co_await tasks_.join();
}

async::Task<HubNamespace*> Hub::in_namespace(std::string name) {
  auto& place = watched_[name];
  if (!place) {
    place = std::make_unique<HubNamespace>(loop_, client_, name);
    for (auto* kind : place->kinds()) {
      for (const auto& handler : handlers_) kind->informer.on_change(handler);
      tasks_.spawn("informer", kind->informer.run());
    }
  }
  auto* found = place.get();
  for (auto* kind : found->kinds()) CO_TRY_VOID(co_await kind->informer.synced());
  co_return found;
}

HubNamespace* Hub::find_namespace(const std::string& name) const {
  const auto found = watched_.find(name);
  if (found == watched_.end()) return nullptr;
  for (auto* kind : found->second->kinds()) {
    if (!kind->informer.is_synced()) return nullptr;
  }
  return found->second.get();
}

kube::Task<ObjectPtr> Hub::write_status(CachedKind& kind, ObjectPtr object, json::object status) {
  const bool is_old =
      abilities_.addon_version == "v1alpha1" && (&kind == &addons || &kind == &management_addons);
  auto patch = is_old ? status_patch(as_v1alpha1(*object), v1alpha1::status_from_v1beta1(status))
                      : status_patch(*object, status);
  if (!patch) co_return object;
  co_return co_await kind.writer.patch(controller::key_of(*object), std::move(*patch), "status");
}

void Hub::warn(const json::object& object, std::string reason, std::string message) {
  events_.record(kube::reference_to(object), kube::EventType::warning, std::move(reason),
                 std::move(message));
}

void Hub::on_namespaced_change(Informer::Handler handler) {
  handlers_.push_back(std::move(handler));
}

}  // namespace addon
