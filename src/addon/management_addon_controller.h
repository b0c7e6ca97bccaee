#pragma once

#include "addon/hub.h"
#include "controller/controller.h"

namespace addon {

/// Writes into the ClusterManagementAddOn what revision its configurations are at; OCM carries that
/// to the clusters as its rollout allows.
///
/// Thread: that of the loop. `hub` outlives it.
class ManagementAddonController : public controller::Reconciler {
 public:
  explicit ManagementAddonController(Hub& hub) : hub_(hub) {}

  /// Before hub.start().
  void subscribe(controller::Controller& controller);
  kube::Task<controller::Outcome> reconcile(ObjectKey key) override;

 private:
  Hub& hub_;
};

}  // namespace addon
