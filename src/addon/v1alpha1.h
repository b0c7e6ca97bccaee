#pragma once

#include "kube/json.h"

/// The add-on API of hubs that do not serve addon.open-cluster-management.io/v1beta1 (OCM
/// before 1.2). Everything else in this library speaks v1beta1; objects are turned when they come
/// from such a hub, and their status when it goes there, as OCM's own conversion webhook does.
namespace addon::v1alpha1 {

namespace json = kube::json;

/// A ManagedClusterAddOn or ClusterManagementAddOn, as v1beta1 would show it. Others stay as they
/// are.
void to_v1beta1(json::object& object);

/// The status of such an object for writing.
json::object status_from_v1beta1(json::object status);

}  // namespace addon::v1alpha1
