#include "addon/configuration_controller.h"

#include <algorithm>
#include <utility>

#include "addon/conditions.h"
#include "addon/drift.h"
#include "addon/names.h"
#include "addon/object.h"
#include "addon/secrets.h"
#include "base/check.h"
#include "base/log.h"
#include "kube/time.h"

namespace addon {
namespace {

using controller::Outcome;

// Certificates last for months; looking once an hour is early enough to renew them in time.
constexpr async::Duration kCertificateCheck = std::chrono::hours(1);

std::string join(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, "; "));
}

CachedKind& kind_of(HubNamespace& place, const json::object& object) {
  const auto kind = kube::text_at(object, "kind");
  if (kind == "ServiceAccount") return place.service_accounts;
  if (kind == "Service") return place.services;
  if (kind == "Secret") return place.secrets;
  if (kind == "Deployment") return place.deployments;
  if (kind == "Role") return place.roles;
  CHECK(kind == "RoleBinding");
  return place.role_bindings;
}

}  // namespace

void ConfigurationController::subscribe(controller::Controller& controller) {
  controller.watch(hub_.configurations.informer);
  const auto wake_all = [this, &controller] {
    for (const auto& each : hub_.configurations.informer.store().list())
      controller.queue().add(controller::key_of(*each));
  };
  hub_.on_namespaced_change([wake_all](const ObjectPtr&, const ObjectPtr&) { wake_all(); });
  hub_.works.informer.on_change([this, wake_all](const ObjectPtr&, const ObjectPtr&) {
    if (signer_.rotating()) wake_all();
  });
  hub_.namespaces.informer.on_change([wake_all](const ObjectPtr& before, const ObjectPtr& after) {
    if (before && !after) wake_all();
  });
}

kube::Task<Outcome> ConfigurationController::reconcile(ObjectKey key) {
  const auto object = hub_.configurations.get(key);
  // What we made for it goes with it, by owner reference.
  if (!object || is_being_deleted(*object)) co_return Outcome{};
  const auto configuration = read_proxy_configuration(*object);
  std::optional<Obstacle> obstacle;
  if (const auto problems = validate(configuration); !problems.empty()) {
    obstacle = {"InvalidConfiguration", join(problems)};
  } else {
    CO_TRY(obstacle, co_await install(configuration));
  }
  if (obstacle) {
    LOG_WARN("proxy servers not brought up to date", {"configuration", key},
             {"reason", obstacle->reason}, {"problem", obstacle->message});
    hub_.warn(*object, obstacle->reason, obstacle->message);
  }
  CO_TRY_VOID(co_await write_status(object, obstacle));
  co_return Outcome{.again_after = kCertificateCheck};
}

kube::Task<std::optional<ConfigurationController::Obstacle>> ConfigurationController::install(
    const ProxyConfiguration& configuration) {
  const auto& server = configuration.server;
  const auto owner = owner_reference(configuration);
  CO_TRY_VOID(co_await ensure_namespace(server.in_namespace));
  CO_TRY(auto* place, co_await hub_.in_namespace(server.in_namespace));
  CO_TRY_VOID(co_await signer_.ensure(owner));
  const auto tls = tls_profile();
  if (!tls) co_return Obstacle{"InvalidTLSProfile", tls.error().message};
  CO_TRY(const auto address, co_await entrypoint_address(configuration));
  if (!address) {
    co_return Obstacle{
        "WaitingForLoadBalancer",
        fmt::format("the Service {}/{} has no address yet; its provider has to give it one",
                    server.in_namespace, server.entrypoint->load_balancer_name)};
  }
  auto certificates = wanted_certificates(configuration, *address);
  signer_.want_keys(static_cast<std::size_t>(std::ranges::count_if(
      certificates, [this](const auto& each) { return renewal_reason(each).has_value(); })));
  for (auto& request : certificates)
    CO_TRY_VOID(co_await ensure_certificate(std::move(request), owner));
  const ProxyServerInputs inputs{configuration, *tls, signer_.trust_pem(),
                                 options_.image_pull_policy};
  for (auto& desired : proxy_server_objects(inputs))
    CO_TRY_VOID(co_await ensure(*place, std::move(desired)));
  co_return std::optional<Obstacle>();
}

kube::Task<void> ConfigurationController::ensure_namespace(std::string name) {
  if (hub_.namespaces.get({"", name})) co_return kube::Result<void>{};
  const auto made = co_await hub_.namespaces.writer.create(
      {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", json::object{{"name", name}}}});
  if (!made && !made.error().is_already_exists()) co_return std::unexpected(made.error());
  co_return kube::Result<void>{};
}

/// Nothing while a load balancer has no address; "" where the address does not matter here.
kube::Task<std::optional<std::string>> ConfigurationController::entrypoint_address(
    const ProxyConfiguration& configuration) {
  const auto& server = configuration.server;
  if (!server.entrypoint->is(EntrypointType::load_balancer_service)) co_return std::string();
  auto* place = hub_.find_namespace(server.in_namespace);
  const auto wanted = load_balancer_service(configuration);
  auto service = place->services.get(controller::key_of(wanted));
  if (!service) {
    CO_TRY(service, co_await place->services.writer.create(wanted));
  } else if (auto changed = load_balancer_update(*service, configuration)) {
    CO_TRY(service, co_await place->services.writer.update(std::move(*changed)));
  }
  co_return load_balancer_address(*service);
}

/// Why the certificate has to be issued, or nothing.
std::optional<std::string> ConfigurationController::renewal_reason(
    const CertificateRequest& request) const {
  const auto& secrets = hub_.find_namespace(request.in_namespace)->secrets;
  const auto live = secrets.get({request.in_namespace, request.secret});
  if (!live) return "it does not exist";
  const auto chain = secret_data(*live, "tls.crt").value_or("");
  return signer_.authority().renewal_reason(chain, request.leaf.hosts, hub_.clock().wall_now());
}

kube::Task<void> ConfigurationController::ensure_certificate(CertificateRequest request,
                                                             json::object owner) {
  const auto reason = renewal_reason(request);
  if (!reason) co_return kube::Result<void>{};
  const ObjectKey key{request.in_namespace, request.secret};
  LOG_INFO("issuing a certificate", {"secret", key}, {"because", *reason});
  CO_TRY(const auto issued, co_await signer_.issue(request.leaf));
  auto& secrets = hub_.find_namespace(request.in_namespace)->secrets;
  const auto live = secrets.get(key);
  auto wanted = certificate_secret(request, issued, std::move(owner));
  if (live && kube::text_at(*live, "type") == kube::text_at(wanted, "type")) {
    CO_TRY_VOID(co_await secrets.writer.update(replacing(*live, std::move(wanted))));
    co_return kube::Result<void>{};
  }
  // The type of a Secret cannot be changed.
  if (live) CO_TRY_VOID(co_await secrets.writer.remove(key));
  CO_TRY_VOID(co_await secrets.writer.create(std::move(wanted)));
  co_return kube::Result<void>{};
}

kube::Task<void> ConfigurationController::ensure(HubNamespace& place, DesiredObject desired) {
  auto& kind = kind_of(place, desired.object);
  const auto live = kind.get(controller::key_of(desired.object));
  if (!live) {
    const auto made = co_await kind.writer.create(std::move(desired.object));
    if (!made && !made.error().is_already_exists()) co_return std::unexpected(made.error());
  } else if (desired.policy == Policy::update &&
             (needs_update(*live, desired) || lacks(*live, desired.object))) {
    LOG_INFO("updating", {"kind", kube::text_at(desired.object, "kind")},
             {"object", controller::key_of(desired.object)});
    CO_TRY_VOID(co_await kind.writer.update(merged(*live, desired.object)));
  }
  co_return kube::Result<void>{};
}

base::Result<TlsProfile> ConfigurationController::tls_profile() {
  const auto* place = hub_.find_namespace(options_.tls_profile_namespace);
  if (place == nullptr)
    return base::fail(base::Code::unavailable, "the TLS profile is not read yet");
  const auto map =
      place->config_maps.get({options_.tls_profile_namespace, std::string(kTlsProfileConfigMap)});
  TRY(auto reading, read_tls_profile(map.get()));
  for (const auto& warning : reading.warnings)
    LOG_WARN("TLS profile", {"config_map", kTlsProfileConfigMap}, {"warning", warning});
  return std::move(reading.profile);
}

kube::Task<void> ConfigurationController::write_status(ObjectPtr object,
                                                       const std::optional<Obstacle>& obstacle) {
  const auto configuration = read_proxy_configuration(*object);
  auto status = status_of(configuration, *object, obstacle);
  CO_TRY_VOID(co_await hub_.write_status(hub_.configurations, object, std::move(status)));
  co_return kube::Result<void>{};
}

}  // namespace addon
