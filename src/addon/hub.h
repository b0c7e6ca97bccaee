#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "async/task_group.h"
#include "controller/cached_kind.h"
#include "kube/event_recorder.h"

namespace addon {

using controller::CachedKind;
using controller::ObjectKey;
using controller::ObjectPtr;
namespace json = kube::json;

/// The namespaced objects of a place where proxy servers run.
struct HubNamespace {
  HubNamespace(async::Loop& loop, kube::Client& client, const std::string& name);

  CachedKind secrets, services, config_maps, service_accounts, deployments, roles, role_bindings;

  /// All of them.
  std::vector<CachedKind*> kinds();
};

/// What the hub's API server offers us, and lets us do.
struct HubAbilities {
  std::string addon_version = "v1beta1";  // of addon.open-cluster-management.io
  bool deployment_configs = true;         // hubs before Open Cluster Management v0.9 have none
  bool cluster_roles = true;              // the chart can withhold the right to write them
  bool cluster_profiles = false;
  bool service_resolvers = false;
};

/// The objects of the hub that the controllers live on: one cache a kind for all of them.
///
/// Flow: construct; subscribe to informers; start(); co_await synced(); read and write.
/// Thread: that of the loop. `client` and `events` outlive it.
class Hub {
 public:
  Hub(async::Loop& loop, kube::Client& client, kube::EventRecorder& events,
      const HubAbilities& abilities);

  void start();
  /// Returns when every cache holds what there is.
  async::Task<void> synced();
  async::Awaitable<void> stop();

  /// The objects of namespace `name`, watched from the first call on; returns when they are there.
  async::Task<HubNamespace*> in_namespace(std::string name);
  /// The same, or null when nobody asked for it before or it is not filled yet.
  HubNamespace* find_namespace(const std::string& name) const;
  /// Hears of every change in every namespace that is watched. Before start().
  void on_namespaced_change(controller::Informer::Handler handler);

  /// Brings the status of an object of `kind` to `status`, if it is not there yet; guarded by uid
  /// and resource version. Returns the object as it is then.
  kube::Task<ObjectPtr> write_status(CachedKind& kind, ObjectPtr object, json::object status);

  /// A warning for whoever looks at `object` (kubectl describe). Never waits, never fails.
  void warn(const json::object& object, std::string reason, std::string message);

  kube::Client& client() { return client_; }
  async::Clock& clock() { return client_.clock(); }
  const HubAbilities& abilities() const { return abilities_; }

  // Cluster-wide. ADCs and resolvers are few; requests and works are those of our add-on.
  CachedKind clusters, addons, management_addons, configurations, deployment_configs, works,
      requests, namespaces;
  // Named cluster-proxy-addon-agent, in the namespaces of clusters.
  CachedKind agent_roles, agent_role_bindings;
  // Only with abilities.
  std::optional<CachedKind> cluster_roles, cluster_role_bindings;
  std::optional<CachedKind> cluster_sets, service_resolvers, cluster_profiles;

 private:
  std::vector<CachedKind*> kinds();

  async::Loop& loop_;
  kube::Client& client_;
  kube::EventRecorder& events_;
  HubAbilities abilities_;
  std::map<std::string, std::unique_ptr<HubNamespace>> watched_;
  std::vector<controller::Informer::Handler> handlers_;
  async::TaskGroup tasks_;
};

}  // namespace addon
