#pragma once

#include "addon/hub.h"
#include "controller/controller.h"

namespace addon {

/// Says in each ManagedProxyServiceResolver whether it can be followed.
///
/// Thread: that of the loop. `hub` outlives it and has the ability service_resolvers.
class ServiceResolverController : public controller::Reconciler {
 public:
  explicit ServiceResolverController(Hub& hub) : hub_(hub) {}

  /// Before hub.start().
  void subscribe(controller::Controller& controller);
  kube::Task<controller::Outcome> reconcile(ObjectKey key) override;

 private:
  Hub& hub_;
};

}  // namespace addon
