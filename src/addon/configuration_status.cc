#include "addon/conditions.h"
#include "addon/configuration_controller.h"
#include "addon/names.h"
#include "kube/time.h"
#include "pki/certificate.h"

namespace addon {
namespace {

/// The condition about the certificate in a Secret; `live` is null while there is none.
Condition signed_condition(std::string type, const ObjectPtr& live) {
  const auto chain = live ? secret_data(*live, "tls.crt") : std::nullopt;
  const auto certificate = pki::decode_certificate(chain.value_or(""));
  if (!certificate) return {std::move(type), false, "NotYetSigned", ""};
  return {std::move(type), true, "SuccessfullySigned",
          "Expiry:" + kube::go_time_string(certificate->not_after)};
}

Condition deployed_condition(const ObjectPtr& deployment) {
  const auto replicas =
      deployment ? kube::integer_at(kube::object_at(*deployment, "status"), "replicas").value_or(0)
                 : 0;
  return {"ProxyServerDeployed", deployment != nullptr,
          deployment ? "SuccessfullyDeployed" : "NotYetDeployed",
          fmt::format("Replicas: {}", replicas)};
}

}  // namespace

json::object ConfigurationController::status_of(const ProxyConfiguration& configuration,
                                                const json::object& object,
                                                const std::optional<Obstacle>& obstacle) {
  json::object status = kube::object_at(object, "status");
  const auto now = hub_.clock().wall_now();
  if (obstacle) {
    set_condition(status, {"ProxyServerDeployed", false, obstacle->reason, obstacle->message}, now);
    return status;
  }
  const auto& in_namespace = configuration.server.in_namespace;
  auto* place = hub_.find_namespace(in_namespace);
  const auto secret = [&](std::string_view name) {
    return place->secrets.get({in_namespace, std::string(name)});
  };
  set_condition(
      status, deployed_condition(place->deployments.get({in_namespace, configuration.name})), now);
  set_condition(
      status,
      signed_condition("ProxyServerSecretSigned", secret(configuration.secrets.proxy_server)), now);
  set_condition(
      status,
      signed_condition("AgentServerSecretSigned", secret(configuration.secrets.agent_server)), now);
  if (configuration.user_server) {
    set_condition(status, signed_condition("UserServerSecretSigned", secret(kUserServingSecret)),
                  now);
  }
  status["lastObservedGeneration"] = configuration.generation;
  return status;
}

}  // namespace addon
