#pragma once

#include "addon/hub.h"
#include "controller/controller.h"

namespace addon {

/// Tells in each ClusterProfile of OCM's how its cluster is reached through the user server.
///
/// It waits for the configuration and the user server's certificate by watching them. Thread: that
/// of the loop. `hub` outlives it and has the ability cluster_profiles.
class ClusterProfileController : public controller::Reconciler {
 public:
  explicit ClusterProfileController(Hub& hub) : hub_(hub) {}

  /// Before hub.start().
  void subscribe(controller::Controller& controller);
  kube::Task<controller::Outcome> reconcile(ObjectKey key) override;

 private:
  Hub& hub_;
};

}  // namespace addon
