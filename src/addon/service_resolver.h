#pragma once

#include <string>
#include <vector>

#include "addon/canonical_json.h"

/// ManagedProxyServiceResolvers: single services of managed clusters, dialled under a name of their
/// own.
namespace addon {

struct ExposedService {
  std::string host;           // exported_service_host(): the identifier and the Service's name
  std::string external_name;  // "<service>.<namespace>"

  auto operator<=>(const ExposedService&) const = default;
};

/// A resolver that names a ManagedClusterSet and a service, by the two types there are.
bool is_legal(const json::object& resolver);

/// The condition `ServiceResolverAvaliable` (spelt so in the API) of a resolver.
struct ResolverState {
  bool available = false;
  std::string reason;
};
/// `cluster_set` is the one the resolver names; nullptr = none.
ResolverState resolver_state(const json::object& resolver, const json::object* cluster_set);

/// The services that a cluster exposes, by host, without duplicates: those of legal resolvers whose
/// set selects the cluster. What is being deleted does not count.
std::vector<ExposedService> exposed_services(const json::object& managed_cluster,
                                             const std::vector<json::object>& cluster_sets,
                                             const std::vector<json::object>& resolvers);

/// Whether a ManagedClusterSet selects a cluster: by the exclusive label or by its label selector.
bool selects(const json::object& cluster_set, const json::object& managed_cluster);

}  // namespace addon
