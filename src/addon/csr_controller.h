#pragma once

#include <map>
#include <string>

#include "addon/signer.h"
#include "controller/controller.h"

namespace addon {

/// Approves the certificate requests of agents, and signs those for our own signer.
///
/// What is not exactly what an agent of that cluster may have is left alone. Thread: that of the
/// loop. `hub` and `signer` outlive it.
class CsrController : public controller::Reconciler {
 public:
  CsrController(Hub& hub, Signer& signer);

  /// Before hub.start(): whose changes wake which request.
  void subscribe(controller::Controller& controller);
  kube::Task<controller::Outcome> reconcile(ObjectKey key) override;

  /// How long to leave the status of this cluster's add-on alone: an agent that has just got a
  /// certificate writes there first, and throws its key away when it loses the race.
  async::Duration quiet_time(const std::string& cluster) const;

 private:
  kube::Task<ObjectPtr> approve(ObjectPtr request);
  kube::Task<void> sign(ObjectPtr request, const pki::Csr& csr);
  void refuse(const json::object& request, const std::string& reason);

  Hub& hub_;
  Signer& signer_;
  std::map<std::string, async::TimePoint> answered_;  // by cluster
};

}  // namespace addon
