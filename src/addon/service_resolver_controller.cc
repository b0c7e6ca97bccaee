#include "addon/service_resolver_controller.h"

#include <utility>

#include "addon/conditions.h"
#include "addon/service_resolver.h"

namespace addon {

using controller::Outcome;

void ServiceResolverController::subscribe(controller::Controller& controller) {
  auto& resolvers = hub_.service_resolvers->informer;
  controller.watch(resolvers);
  hub_.cluster_sets->informer.on_change(
      [&resolvers, &controller](const ObjectPtr&, const ObjectPtr&) {
        for (const auto& resolver : resolvers.store().list())
          controller.queue().add(controller::key_of(*resolver));
      });
}

kube::Task<Outcome> ServiceResolverController::reconcile(ObjectKey key) {
  const auto resolver = hub_.service_resolvers->get(key);
  if (!resolver) co_return Outcome{};
  const auto& selector =
      kube::object_at(kube::object_at(*resolver, "spec"), "managedClusterSelector");
  const auto set_name = kube::text_at(kube::object_at(selector, "managedClusterSet"), "name");
  const auto cluster_set = hub_.cluster_sets->get({"", std::string(set_name)});
  const auto state = resolver_state(*resolver, cluster_set.get());
  json::object status = kube::object_at(*resolver, "status");
  set_condition(status, {"ServiceResolverAvaliable", state.available, state.reason, ""},
                hub_.clock().wall_now());
  CO_TRY_VOID(co_await hub_.write_status(*hub_.service_resolvers, resolver, std::move(status)));
  co_return Outcome{};
}

}  // namespace addon
