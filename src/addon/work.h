#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "addon/canonical_json.h"
#include "base/result.h"

/// ManifestWorks: the envelopes in which OCM carries objects to a managed cluster.
namespace addon {

struct WorkInputs {
  const json::object& addon;            // the ManagedClusterAddOn
  std::vector<json::object> manifests;  // in the order to install them
  std::vector<json::object> existing;   // works of this addon on this cluster, deploy ones only
};

struct WorkPlan {
  std::vector<json::object> wanted;   // by index; equal ones are among them, see work_patch()
  std::vector<std::string> obsolete;  // names of existing works with nothing left in them
};

/// Which manifests go into which work. Manifests stay where they are; new ones fill existing works,
/// then new ones, none above the budget. The Namespace comes first in its work: the work agent
/// applies in order. Fails when one manifest alone is larger than a work may be.
base::Result<WorkPlan> plan_works(const WorkInputs& inputs);

/// Whether `name` is that of a work with the addon's manifests: "addon-cluster-proxy-deploy-<i>".
bool is_deploy_work(std::string_view name);

/// The merge patch that turns `live` into `wanted`, or nothing when labels, annotations, owners and
/// spec are the same with the schema's defaults filled in. Guarded by uid and resourceVersion.
std::optional<json::object> work_patch(const json::object& live, const json::object& wanted);

/// The annotation `config-spec-hash` of the configurations that the addon follows; "" for none.
std::string config_spec_hashes(const json::object& addon);

}  // namespace addon
