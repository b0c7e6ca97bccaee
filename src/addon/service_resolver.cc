#include "addon/service_resolver.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "addon/hashes.h"
#include "addon/object.h"
#include "kube/labels.h"

namespace addon {
namespace {

constexpr std::string_view kSetLabel = "cluster.open-cluster-management.io/clusterset";

const json::object& cluster_selector(const json::object& resolver) {
  return object_at(object_at(resolver, "spec"), "managedClusterSelector");
}

const json::object& service_selector(const json::object& resolver) {
  return object_at(object_at(resolver, "spec"), "serviceSelector");
}

std::string_view set_of(const json::object& resolver) {
  return text_at(object_at(cluster_selector(resolver), "managedClusterSet"), "name");
}

/// One entry of matchExpressions. An operator that is not known matches nothing.
bool meets(const kube::Labels& labels, const json::object& requirement) {
  const auto found = labels.find(text_at(requirement, "key"));
  const bool there = found != labels.end();
  const auto op = text_at(requirement, "operator");
  if (op == "Exists") return there;
  if (op == "DoesNotExist") return !there;
  const bool among = there && contains(texts_at(requirement, "values"), found->second);
  return op == "In" ? among : op == "NotIn" && !among;
}

bool matches(const kube::Labels& labels, const json::object& selector) {
  const auto equal = [&](const auto& member) {
    const auto found = labels.find(std::string_view(member.key()));
    return found != labels.end() && member.value().is_string() &&
           std::string_view(member.value().get_string()) == found->second;
  };
  const auto met = [&](const json::value& each) {
    return each.is_object() && meets(labels, each.get_object());
  };
  return std::ranges::all_of(object_at(selector, "matchLabels"), equal) &&
         std::ranges::all_of(array_at(selector, "matchExpressions"), met);
}

ExposedService exposed(std::string_view cluster, const json::object& resolver) {
  const auto& reference = object_at(service_selector(resolver), "serviceRef");
  const std::string in_namespace(text_at(reference, "namespace"));
  const std::string service(text_at(reference, "name"));
  return {.host = exported_service_host(
              {.cluster = std::string(cluster), .in_namespace = in_namespace, .service = service}),
          .external_name = fmt::format("{}.{}", service, in_namespace)};
}

}  // namespace

bool is_legal(const json::object& resolver) {
  const auto& clusters = cluster_selector(resolver);
  const auto& services = service_selector(resolver);
  return text_at(clusters, "type") == "ManagedClusterSet" && has(clusters, "managedClusterSet") &&
         text_at(services, "type") == "ServiceRef" && has(services, "serviceRef");
}

ResolverState resolver_state(const json::object& resolver, const json::object* cluster_set) {
  if (!is_legal(resolver))
    return {.available = false, .reason = "ManagedProxyServiceResolverNotLegal"};
  if (cluster_set == nullptr) return {.available = false, .reason = "ManagedClusterSetNotExisted"};
  if (is_being_deleted(*cluster_set))
    return {.available = false, .reason = "ManagedClusterSetDeleting"};
  return {.available = true, .reason = "ManagedProxyServiceResolverAvaliable"};
}

bool selects(const json::object& cluster_set, const json::object& managed_cluster) {
  const auto& selector = object_at(object_at(cluster_set, "spec"), "clusterSelector");
  const auto type = text_at(selector, "selectorType");
  if (type == "LabelSelector") {
    return has(selector, "labelSelector") &&
           matches(kube::labels_of(managed_cluster), object_at(selector, "labelSelector"));
  }
  const bool by_label =
      type.empty() || type == "ExclusiveClusterSetLabel" || type == "LegacyClusterSetLabel";
  return by_label && label_of(managed_cluster, kSetLabel) == name_of(cluster_set);
}

std::vector<ExposedService> exposed_services(const json::object& managed_cluster,
                                             const std::vector<json::object>& cluster_sets,
                                             const std::vector<json::object>& resolvers) {
  std::set<std::string_view> selecting;
  for (const auto& set : cluster_sets) {
    if (!is_being_deleted(set) && selects(set, managed_cluster)) selecting.insert(name_of(set));
  }
  std::set<ExposedService> services;
  for (const auto& resolver : resolvers) {
    const bool counts = is_legal(resolver) && !is_being_deleted(resolver);
    if (counts && selecting.contains(set_of(resolver))) {
      services.insert(exposed(name_of(managed_cluster), resolver));
    }
  }
  return {services.begin(), services.end()};
}

}  // namespace addon
