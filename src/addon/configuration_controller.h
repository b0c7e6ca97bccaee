#pragma once

#include <string>

#include "addon/certificates.h"
#include "addon/proxy_server.h"
#include "addon/signer.h"
#include "controller/controller.h"

namespace addon {

/// Runs the proxy servers that a ManagedProxyConfiguration asks for: namespace, entrypoint,
/// certificates, Deployment and what belongs to it; and says in its status how far that is.
///
/// Guarantees: what is installed stays untouched while the configuration is incomplete; a condition
/// says why. What is deleted or changed behind our back is put right. Thread: that of the loop.
/// `hub` and `signer` outlive it.
class ConfigurationController : public controller::Reconciler {
 public:
  struct Options {
    std::string image_pull_policy;
    std::string tls_profile_namespace;  // of the ConfigMap ocm-tls-profile
  };
  ConfigurationController(Hub& hub, Signer& signer, Options options)
      : hub_(hub), signer_(signer), options_(std::move(options)) {}

  /// Before hub.start(): whose changes wake which configuration.
  void subscribe(controller::Controller& controller);
  kube::Task<controller::Outcome> reconcile(ObjectKey key) override;

 private:
  /// Why nothing more can be done now; a condition tells it.
  struct Obstacle {
    std::string reason;
    std::string message;
  };
  kube::Task<std::optional<Obstacle>> install(const ProxyConfiguration& configuration);
  kube::Task<std::optional<std::string>> entrypoint_address(
      const ProxyConfiguration& configuration);
  kube::Task<void> ensure_namespace(std::string name);
  std::optional<std::string> renewal_reason(const CertificateRequest& request) const;
  kube::Task<void> ensure_certificate(CertificateRequest request, json::object owner);
  kube::Task<void> ensure(HubNamespace& place, DesiredObject desired);
  base::Result<TlsProfile> tls_profile();
  json::object status_of(const ProxyConfiguration& configuration, const json::object& object,
                         const std::optional<Obstacle>& obstacle);
  kube::Task<void> write_status(ObjectPtr object, const std::optional<Obstacle>& obstacle);

  Hub& hub_;
  Signer& signer_;
  Options options_;
};

}  // namespace addon
