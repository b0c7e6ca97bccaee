#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/client.h"

namespace kube {

/// A group of the API server, with the versions that it serves.
struct ServedGroup {
  std::string name;                   // "" = the core group
  std::vector<std::string> versions;  // as the server prefers them
  std::string preferred;

  bool serves(std::string_view version) const;
};

/// A resource of one version of a group. Subresources stand beside it: "deployments/scale".
struct ServedResource {
  std::string name;  // "managedclusters"
  std::string kind;  // "ManagedCluster"
  bool namespaced = false;
  std::vector<std::string> verbs;
};

/// The group `group` ("" = core); nothing when it is not served. `client` outlives the task.
Task<std::optional<ServedGroup>> discover_group(Client& client, std::string group);
/// All groups but the core one.
Task<std::vector<ServedGroup>> discover_groups(Client& client);
/// What is in a version of a group; Code::not_found when that is not served.
Task<std::vector<ServedResource>> discover_resources(Client& client, std::string group,
                                                     std::string version);

/// The resource of that name or kind; null when there is none. Subresources go by their name only.
const ServedResource* find_resource(const std::vector<ServedResource>& resources,
                                    std::string_view name_or_kind);

}  // namespace kube
