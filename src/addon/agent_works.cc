#include "addon/agent_works.h"

#include <utility>

#include "addon/addon_status.h"
#include "addon/agent_manifests.h"
#include "addon/conditions.h"
#include "addon/names.h"
#include "addon/object.h"
#include "addon/work.h"
#include "base/log.h"

namespace addon {
namespace {

using base::Code;

constexpr std::string_view kByCluster = "cluster";

/// A reference in status.configReferences to the add-on's ManagedProxyConfiguration; null without
/// one.
const json::object* configuration_reference(const json::object& addon) {
  const auto* references = kube::object_at(addon, "status").if_contains("configReferences");
  if (references == nullptr || !references->is_array()) return nullptr;
  for (const auto& each : references->get_array()) {
    const auto* reference = each.if_object();
    if (reference != nullptr && kube::text_at(*reference, "resource") == kConfigurationResource)
      return reference;
  }
  return nullptr;
}

std::string join(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

bool configuration_is_due(const json::object& addon, const json::object& configuration) {
  const auto* reference = configuration_reference(addon);
  if (reference == nullptr) return true;
  const auto wanted = kube::text_at(kube::object_at(*reference, "desiredConfig"), "specHash");
  return wanted == spec_hash(configuration);
}

AgentWorks::AgentWorks(Hub& hub, const Signer& signer, Options options)
    : hub_(hub), signer_(signer), options_(std::move(options)) {
  hub_.works.informer.store().add_index(std::string(kByCluster), [](const json::object& work) {
    if (!is_deploy_work(kube::name_of(work))) return std::vector<std::string>();
    return std::vector{std::string(kube::namespace_of(work))};
  });
}

std::vector<ObjectPtr> AgentWorks::works_of(const std::string& cluster) const {
  return hub_.works.informer.store().find(kByCluster, cluster);
}

kube::Task<void> AgentWorks::apply(ObjectPtr addon, const ConfigResult& config,
                                   json::object& status) {
  const auto now = hub_.clock().wall_now();
  const auto fail = [&](std::string_view what, const base::Error& error) {
    set_condition(status,
                  {"ManifestApplied", false, "ManifestWorkApplyFailed",
                   fmt::format("{}: {}", what, error.message)},
                  now);
    return std::unexpected(kube::Error(error));
  };
  const std::string cluster(kube::namespace_of(*addon));
  const auto configuration = hub_.configurations.get({"", std::string(kConfigurationName)});
  const bool held_back =
      configuration && !works_of(cluster).empty() && !configuration_is_due(*addon, *configuration);
  if (!held_back) {
    auto manifests = render(*addon, config);
    if (!manifests) {
      co_return fail("failed to get manifest from agent interface", manifests.error());
    }
    const auto written = co_await write(addon, std::move(*manifests));
    if (!written) co_return fail("failed to apply manifestWork", written.error());
  }
  std::vector<json::object> works;
  for (const auto& work : works_of(cluster)) works.push_back(*work);
  set_manifest_applied(status, works, now);
  co_return kube::Result<void>{};
}

base::Result<std::vector<json::object>> AgentWorks::render(const json::object& addon,
                                                           const ConfigResult& config) {
  if (!config) return base::fail(config.error());
  const std::string cluster(kube::namespace_of(addon));
  const auto managed_cluster = hub_.clusters.get({"", cluster});
  const auto object = hub_.configurations.get({"", std::string(kConfigurationName)});
  if (!object) {
    return base::fail(Code::not_found,
                      fmt::format("there is no ManagedProxyConfiguration {}; install the chart, or "
                                  "create it",
                                  kConfigurationName));
  }
  const auto configuration = read_proxy_configuration(*object);
  if (const auto problems = validate(configuration); !problems.empty()) {
    return base::fail(Code::invalid, fmt::format("ManagedProxyConfiguration {}: {}",
                                                 kConfigurationName, join(problems)));
  }
  ObjectPtr service;
  if (const auto* place = hub_.find_namespace(configuration.server.in_namespace);
      place != nullptr && configuration.server.entrypoint) {
    service = place->services.get(
        {configuration.server.in_namespace, configuration.server.entrypoint->load_balancer_name});
  }
  ObjectPtr secret;
  if (const auto* place = hub_.find_namespace(options_.service_proxy_namespace)) {
    secret =
        place->secrets.get({options_.service_proxy_namespace, std::string(kServiceProxySecret)});
  }
  const AgentInputs inputs{.configuration = configuration,
                           .options = options_.agent,
                           .managed_cluster = *managed_cluster,
                           .addon = addon,
                           .deployment_config = *config ? &**config : nullptr,
                           .load_balancer_service = service.get(),
                           .service_proxy_secret = secret.get(),
                           .ca_pem = signer_.trust_pem(),
                           .exposed = exposed_by(*managed_cluster)};
  TRY(const auto values, agent_values(inputs));
  return agent_manifests(values);
}

std::vector<ExposedService> AgentWorks::exposed_by(const json::object& managed_cluster) const {
  if (!hub_.service_resolvers) return {};
  std::vector<json::object> sets;
  std::vector<json::object> resolvers;
  for (const auto& each : hub_.cluster_sets->informer.store().list()) sets.push_back(*each);
  for (const auto& each : hub_.service_resolvers->informer.store().list())
    resolvers.push_back(*each);
  return exposed_services(managed_cluster, sets, resolvers);
}

kube::Task<void> AgentWorks::write(ObjectPtr addon, std::vector<json::object> manifests) {
  const std::string cluster(kube::namespace_of(*addon));
  std::vector<json::object> existing;
  for (const auto& work : works_of(cluster)) existing.push_back(*work);
  CO_TRY(auto plan, plan_works({*addon, std::move(manifests), std::move(existing)}));
  for (auto& wanted : plan.wanted) {
    const auto key = controller::key_of(wanted);
    const auto live = hub_.works.get(key);
    if (!live) {
      CO_TRY_VOID(co_await hub_.works.writer.create(std::move(wanted)));
    } else if (auto patch = work_patch(*live, wanted)) {
      CO_TRY_VOID(co_await hub_.works.writer.patch(key, std::move(*patch)));
    }
  }
  for (const auto& name : plan.obsolete)
    CO_TRY_VOID(co_await hub_.works.writer.remove({cluster, name}));
  co_return kube::Result<void>{};
}

}  // namespace addon
