#pragma once

#include <string>

#include "addon/agent_registration.h"
#include "addon/agent_works.h"
#include "addon/certificate_pacing.h"
#include "controller/controller.h"

namespace addon {

/// Brings one cluster's ManagedClusterAddOn from "wanted" to "installed": registration, rights,
/// works, and its status, of which several programs write parts.
///
/// Thread: that of the loop. What it is made of outlives it.
class AddonController : public controller::Reconciler {
 public:
  struct Parts {
    Hub& hub;
    Signer& signer;
    AgentRegistration& registration;
    AgentWorks& works;
    CertificatePacing& pacing;
  };
  explicit AddonController(const Parts& parts) : parts_(parts) {}

  /// Before hub.start(): whose changes wake which addon.
  void subscribe(controller::Controller& controller);
  kube::Task<controller::Outcome> reconcile(ObjectKey key) override;

 private:
  kube::Task<ObjectPtr> write_status(ObjectPtr addon, json::object status);
  kube::Task<controller::Outcome> deploy(ObjectPtr addon, const ConfigResult& config);
  ConfigResult deployment_config_of(const json::object& addon);

  Parts parts_;
};

}  // namespace addon
