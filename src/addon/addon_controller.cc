#include "addon/addon_controller.h"

#include <utility>

#include "addon/addon_status.h"
#include "addon/conditions.h"
#include "addon/config_lookup.h"
#include "addon/merge_patch.h"
#include "addon/names.h"
#include "addon/object.h"
#include "base/log.h"

namespace addon {
namespace {

using controller::Outcome;

/// Whether agents are rendered differently, or not at all, for the changed cluster.
bool matters(const ObjectPtr& before, const ObjectPtr& after) {
  if (!before || !after) return true;
  const auto& old_metadata = kube::object_at(*before, "metadata");
  const auto& metadata = kube::object_at(*after, "metadata");
  for (const char* part : {"annotations", "labels"}) {
    if (kube::object_at(old_metadata, part) != kube::object_at(metadata, part)) return true;
  }
  return is_being_deleted(*before) != is_being_deleted(*after);
}

}  // namespace

void AddonController::subscribe(controller::Controller& controller) {
  auto& hub = parts_.hub;
  auto& queue = controller.queue();
  const auto wake = [&queue](std::string cluster) {
    queue.add({std::move(cluster), std::string(kAddonName)});
  };
  const auto wake_all = [&hub, &queue] {
    for (const auto& addon : hub.addons.informer.store().list())
      queue.add(controller::key_of(*addon));
  };
  const auto by_namespace = [wake](const ObjectPtr& before, const ObjectPtr& after) {
    wake(std::string(kube::namespace_of(after ? *after : *before)));
  };
  const auto by_anything = [wake_all](const ObjectPtr&, const ObjectPtr&) { wake_all(); };

  controller.watch(hub.addons.informer);
  for (auto* kind : {&hub.works, &hub.agent_roles, &hub.agent_role_bindings})
    kind->informer.on_change(by_namespace);
  hub.clusters.informer.on_change([wake](const ObjectPtr& before, const ObjectPtr& after) {
    if (matters(before, after)) wake(std::string(kube::name_of(after ? *after : *before)));
  });
  for (auto* kind : {&hub.configurations, &hub.deployment_configs})
    kind->informer.on_change(by_anything);
  for (auto* kind : {&hub.cluster_roles, &hub.cluster_role_bindings, &hub.cluster_sets,
                     &hub.service_resolvers}) {
    if (*kind) (*kind)->informer.on_change(by_anything);
  }
  hub.on_namespaced_change([wake_all](const ObjectPtr& before, const ObjectPtr& after) {
    const auto& object = after ? *after : *before;
    const bool is_balancer =
        kube::text_at(kube::object_at(object, "spec"), "type") == "LoadBalancer";
    if (is_balancer || kube::name_of(object) == kServiceProxySecret) wake_all();
  });
  parts_.signer.on_change(wake_all);
}

kube::Task<Outcome> AddonController::reconcile(ObjectKey key) {
  auto& hub = parts_.hub;
  auto addon = hub.addons.get(key);
  const auto cluster = hub.clusters.get({"", key.in_namespace});
  // The API server's garbage collector removes what belonged to an addon.
  if (!addon || !cluster || is_being_deleted(*addon)) co_return Outcome{};
  const bool is_managed = hub.abilities().deployment_configs;
  if (is_managed && !is_owned_by_management_addon(*addon)) {
    LOG_DEBUG("not installing: the ClusterManagementAddOn does not own it yet", {"addon", key});
    co_return Outcome{};
  }
  if (!parts_.signer.ready()) co_return Outcome{};  // its change wakes every addon
  const auto config = deployment_config_of(*addon);
  const auto* config_or_none = config && *config ? &**config : nullptr;

  json::object status = kube::object_at(*addon, "status");
  observe_configs(*addon, status, config_lookup(hub));
  const auto registered = co_await parts_.registration.apply(addon, config_or_none, status);
  CO_TRY(addon, co_await write_status(addon, std::move(status)));

  // An agent whose rights are not complete is deployed all the same.
  Outcome outcome;
  if (!is_being_deleted(*cluster) && find_condition(*addon, "RegistrationApplied") != nullptr &&
      (!is_managed || condition_is_true(*addon, "Configured"))) {
    CO_TRY(outcome, co_await deploy(std::move(addon), config));
  }
  if (!registered) co_return std::unexpected(registered.error());
  co_return outcome;
}

kube::Task<Outcome> AddonController::deploy(ObjectPtr addon, const ConfigResult& config) {
  auto& hub = parts_.hub;
  json::object status = kube::object_at(*addon, "status");
  const auto deployed = co_await parts_.works.apply(addon, config, status);
  const auto quiet =
      parts_.pacing.before_write(std::string(kube::namespace_of(*addon)), hub.clock().now());
  const bool has_news = status_patch(*addon, status).has_value();
  if (has_news && deployed && quiet > async::Duration::zero())
    co_return Outcome{.again_after = quiet};
  CO_TRY_VOID(co_await write_status(std::move(addon), std::move(status)));
  if (!deployed) co_return std::unexpected(deployed.error());
  co_return Outcome{};
}

// No certificate is given out while this write is on its way.
kube::Task<ObjectPtr> AddonController::write_status(ObjectPtr addon, json::object status) {
  auto& hub = parts_.hub;
  if (status_patch(*addon, status))
    parts_.pacing.addon_changed(std::string(kube::namespace_of(*addon)), hub.clock().now());
  co_return co_await hub.write_status(hub.addons, std::move(addon), std::move(status));
}

ConfigResult AddonController::deployment_config_of(const json::object& addon) {
  const auto reference = deployment_config_reference(addon);
  if (!reference || reference->spec_hash.empty()) return std::optional<DeploymentConfig>();
  const auto object = parts_.hub.deployment_configs.get({reference->in_namespace, reference->name});
  if (!object) {
    return base::fail(base::Code::not_found,
                      fmt::format("the AddOnDeploymentConfig {}/{} that the add-on refers to does "
                                  "not exist; create it, or remove the reference",
                                  reference->in_namespace, reference->name));
  }
  TRY(auto config, read_deployment_config(*object));
  return config;
}

}  // namespace addon
