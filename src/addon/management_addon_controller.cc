#include "addon/management_addon_controller.h"

#include <utility>

#include "addon/config_lookup.h"
#include "addon/names.h"

namespace addon {

void ManagementAddonController::subscribe(controller::Controller& controller) {
  controller.watch(hub_.management_addons.informer);
  for (auto* kind : {&hub_.configurations, &hub_.deployment_configs}) {
    kind->informer.on_change([&controller](const ObjectPtr&, const ObjectPtr&) {
      controller.queue().add({"", std::string(kAddonName)});
    });
  }
}

kube::Task<controller::Outcome> ManagementAddonController::reconcile(ObjectKey key) {
  auto addon = hub_.management_addons.get(key);
  if (!addon) co_return controller::Outcome{};
  json::object status = kube::object_at(*addon, "status");
  hash_default_configs(status, config_lookup(hub_));
  CO_TRY_VOID(
      co_await hub_.write_status(hub_.management_addons, std::move(addon), std::move(status)));
  co_return controller::Outcome{};
}

}  // namespace addon
