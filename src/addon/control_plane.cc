#include "addon/control_plane.h"

#include <utility>

#include "base/log.h"

namespace addon {

ControlPlane::ControlPlane(async::Loop& loop, kube::Client& client, kube::EventRecorder& events,
                           controller::ControllerMetrics& metrics, Options options)
    : loop_(loop),
      metrics_(metrics),
      options_(std::move(options)),
      hub_(loop, client, events, options_.abilities),
      signer_(loop.get_executor(), hub_, options_.signer),
      requests_(hub_, signer_),
      registration_(hub_, signer_, options_.agent.install_namespace),
      works_(hub_, signer_, {options_.agent, options_.signer.in_namespace}),
      addons_({hub_, signer_, registration_, works_, requests_.pacing()}),
      configurations_(hub_, signer_, {options_.image_pull_policy, options_.pod_namespace}),
      management_addons_(hub_),
      tasks_(loop.get_executor()) {
  add("ManagedProxyConfiguration", configurations_);
  add("ClusterManagementAddOn", management_addons_);
  add("ManagedClusterAddOn", addons_);
  add("CertificateSigningRequest", requests_);
  if (hub_.cluster_profiles) add("ClusterProfile", cluster_profiles_.emplace(hub_));
  if (hub_.service_resolvers) add("ManagedProxyServiceResolver", service_resolvers_.emplace(hub_));
}

template <typename Reconciler>
void ControlPlane::add(std::string_view name, Reconciler& reconciler) {
  controllers_.push_back(
      std::make_unique<controller::Controller>(loop_, hub_.clock(), name, reconciler, &metrics_));
  reconciler.subscribe(*controllers_.back());
}

async::Task<void> ControlPlane::watch() {
  hub_.start();
  CO_TRY_VOID(co_await hub_.synced());
  CO_TRY_VOID(co_await hub_.in_namespace(options_.pod_namespace));
  CO_TRY_VOID(co_await hub_.in_namespace(options_.signer.in_namespace));
  synced_ = true;
  co_return base::Result<void>{};
}

void ControlPlane::lead() {
  signer_.prepare();
  for (const auto& each : controllers_) tasks_.spawn("controller", each->run());
}

async::Awaitable<void> ControlPlane::stop() {
  tasks_.cancel();
  co_await tasks_.join();
  co_await signer_.stop();
  co_await hub_.stop();
}

}  // namespace addon
