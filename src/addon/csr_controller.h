#pragma once

#include <map>
#include <string>

#include "addon/certificate_pacing.h"
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

  CertificatePacing& pacing() { return pacing_; }

 private:
  kube::Task<ObjectPtr> approve(ObjectPtr request);
  kube::Task<void> sign(ObjectPtr request, const pki::Csr& csr);
  void note_answer(const json::object& request);
  async::Duration pause_before(const json::object& request, const std::string& cluster);
  void refuse(const json::object& request, const std::string& reason);

  Hub& hub_;
  Signer& signer_;
  CertificatePacing pacing_;
  std::map<std::string, async::TimePoint> first_seen_;  // by request, until it is answered
  std::map<std::string, std::string> refused_;          // by request: why, so that it is told once
};

}  // namespace addon
