#include "addon/cluster_profile_controller.h"

#include <utility>

#include "addon/cluster_profile.h"
#include "addon/names.h"
#include "addon/proxy_configuration.h"

namespace addon {

using controller::Outcome;

void ClusterProfileController::subscribe(controller::Controller& controller) {
  auto& profiles = hub_.cluster_profiles->informer;
  controller.watch(profiles);
  const auto wake_all = [&profiles, &controller](const ObjectPtr&, const ObjectPtr&) {
    for (const auto& profile : profiles.store().list())
      controller.queue().add(controller::key_of(*profile));
  };
  hub_.configurations.informer.on_change(wake_all);
  hub_.on_namespaced_change([wake_all](const ObjectPtr& before, const ObjectPtr& after) {
    if (kube::name_of(after ? *after : *before) == kUserServingSecret) wake_all(before, after);
  });
}

kube::Task<Outcome> ClusterProfileController::reconcile(ObjectKey key) {
  auto profile = hub_.cluster_profiles->get(key);
  const auto object = hub_.configurations.get({"", std::string(kConfigurationName)});
  if (!profile || !object || !is_ours(*profile)) co_return Outcome{};
  const auto proxy_namespace = read_proxy_configuration(*object).server.in_namespace;
  CO_TRY(auto* place, co_await hub_.in_namespace(proxy_namespace));
  const auto secret = place->secrets.get({proxy_namespace, std::string(kUserServingSecret)});
  if (!secret) co_return Outcome{};
  const auto certificate = kube::text_at(kube::object_at(*secret, "data"), "tls.crt");
  if (certificate.empty()) {
    co_return std::unexpected(
        kube::Error(base::Code::invalid,
                    fmt::format("Secret {}/{} has no tls.crt; delete it to have it made anew",
                                proxy_namespace, kUserServingSecret)));
  }
  auto status = with_access_provider(*profile, {proxy_namespace, std::string(certificate)});
  CO_TRY_VOID(co_await hub_.write_status(*hub_.cluster_profiles, profile, std::move(status)));
  co_return Outcome{};
}

}  // namespace addon
