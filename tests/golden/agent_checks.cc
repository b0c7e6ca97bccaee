#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "addon/addon_configs.h"
#include "addon/agent_manifests.h"
#include "addon/conditions.h"
#include "addon/csr_policy.h"
#include "addon/names.h"
#include "addon/work.h"
#include "checks.h"

namespace golden {

using namespace addon;
using base::Result;

namespace {

using Manifests = std::vector<json::object>;

std::string label(const json::object& object) {
  return fmt::format("{}/{}", text_at(object, "kind"), name_of(object));
}

Result<Manifests> render(const Stage& stage, const json::object& addon) {
  const auto configuration = stage.configuration();
  const auto reference = deployment_config_reference(addon);
  const auto* object = reference ? stage.find_config(kDeploymentConfigResource,
                                                     reference->in_namespace, reference->name)
                                 : nullptr;
  std::optional<DeploymentConfig> config;
  if (object != nullptr) {
    TRY(config, read_deployment_config(*object));
  }
  const auto options = stage.agent_options();
  const AgentInputs inputs{.configuration = *configuration,
                           .options = options,
                           .managed_cluster = *stage.managed_cluster(namespace_of(addon)),
                           .addon = addon,
                           .deployment_config = config ? &*config : nullptr,
                           .load_balancer_service = stage.load_balancer(),
                           .service_proxy_secret = stage.optional_object("serviceProxySecret"),
                           .ca_pem = stage.ca_pem(),
                           .exposed = {}};
  TRY(const auto values, agent_values(inputs));
  return agent_manifests(values);
}

/// The error of rendering in the addon's condition; "" when there is none.
std::string recorded_error(const json::object& addon) {
  constexpr std::string_view kStart = "failed to get manifest from agent interface: ";
  const auto* condition = find_condition(addon, "ManifestApplied");
  const auto message = condition == nullptr ? "" : text_at(*condition, "message");
  return std::string(message.starts_with(kStart) ? message.substr(kStart.size()) : "");
}

Manifests works_of(const Stage& stage, std::string_view cluster) {
  Manifests works;
  for (auto& work : stage.objects("works")) {
    if (namespace_of(work) == cluster && is_deploy_work(name_of(work))) works.push_back(work);
  }
  return works;
}

/// In the order of kind and name: where they stand is compared apart.
json::array sorted_manifests(const json::object& work) {
  auto manifests = array_at(object_at(object_at(work, "spec"), "workload"), "manifests");
  std::ranges::sort(manifests, {}, [](const json::value& each) { return label(each.as_object()); });
  return manifests;
}

/// All but manifests and status.
json::object frame(const json::object& work) {
  json::object result = work;
  result.erase("status");
  make_object(result, "spec").erase("workload");
  return result;
}

void compare_manifests(const Stage& stage, const json::object& reference, const json::object& ours,
                       Comparison& comparison) {
  const auto theirs = sorted_manifests(reference);
  const auto mine = sorted_manifests(ours);
  ASSERT_EQ(theirs.size(), mine.size()) << stage.name();
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    comparison.same(stage, "agent " + label(theirs[i].as_object()), theirs[i], mine[i]);
  }
}

std::string order(const json::object& work) {
  std::vector<std::string> names;
  for (const auto& each : array_at(object_at(object_at(work, "spec"), "workload"), "manifests")) {
    names.push_back(label(each.as_object()));
  }
  return fmt::format("{}", fmt::join(names, " "));
}

/// What we put into every agent's container is compared with the manifests; whatever else a
/// takeover changes shows in its patch.
Manifests without_readiness(Manifests manifests) {
  for (auto& manifest : manifests) {
    if (text_at(manifest, "kind") != "Deployment") continue;
    auto& pod = make_object(make_object(make_object(manifest, "spec"), "template"), "spec");
    make_array(pod, "containers")[0].as_object().erase("readinessProbe");
  }
  return manifests;
}

/// The first work of a cluster, and what becomes of it where the reference has made it.
void compare_works(const Stage& stage, const json::object& addon, const Manifests& manifests,
                   Comparison& comparison) {
  const auto recorded = works_of(stage, namespace_of(addon));
  ASSERT_LE(recorded.size(), 1U);
  if (recorded.empty()) return;
  const auto fresh = plan_works({.addon = addon, .manifests = manifests, .existing = {}});
  ASSERT_TRUE(fresh) << fresh.error().message;
  ASSERT_EQ(fresh->wanted.size(), 1U);
  comparison.same(stage, "ManifestWork", frame(recorded[0]), frame(fresh->wanted[0]));
  compare_manifests(stage, recorded[0], fresh->wanted[0], comparison);
  comparison.same_text(stage, "order of a new ManifestWork", order(recorded[0]),
                       order(fresh->wanted[0]));
  EXPECT_EQ(
      text_at(array_at(object_at(object_at(fresh->wanted[0], "spec"), "workload"), "manifests")[0]
                  .as_object(),
              "kind"),
      "Namespace");
  const auto taken_over =
      plan_works({.addon = addon, .manifests = without_readiness(manifests), .existing = recorded});
  ASSERT_TRUE(taken_over) << taken_over.error().message;
  const auto patch = work_patch(recorded[0], taken_over->wanted[0]);
  comparison.same(stage, "patch of a ManifestWork taken over", nullptr,
                  patch ? json::value(*patch) : json::value());
}

/// The attributes of a recorded subject: "CN=x (PrintableString)".
pki::DistinguishedName subject_of(const json::object& request) {
  pki::DistinguishedName subject;
  for (const auto& rdn : array_at(object_at(request, "request"), "rdns")) {
    for (const auto& each : rdn.as_array()) {
      const std::string text(each.as_string());
      const auto value = text.substr(text.find('=') + 1, text.rfind(" (") - text.find('=') - 1);
      if (text.starts_with("CN=")) subject.common_name = value;
      if (text.starts_with("O=")) subject.organizations.push_back(value);
      if (text.starts_with("OU=")) subject.organizational_units.push_back(value);
    }
  }
  return subject;
}

json::object as_request(const json::object& recorded) {
  return {{"metadata",
           {{"name", text_at(recorded, "name")}, {"labels", object_at(recorded, "labels")}}},
          {"spec",
           {{"signerName", text_at(recorded, "signerName")},
            {"username", text_at(recorded, "username")},
            {"usages", array_at(recorded, "usages")}}}};
}

}  // namespace

void check_agents(const Stage& stage, Comparison& comparison) {
  if (!stage.configuration()) return;
  for (const auto& addon : stage.objects("managedclusteraddon")) {
    if (stage.managed_cluster(namespace_of(addon)) == nullptr) continue;
    if (!condition_is_true(addon, "Configured")) continue;
    if (find_condition(addon, "RegistrationApplied") == nullptr) continue;
    const auto ours = render(stage, addon);
    const auto error = recorded_error(addon);
    comparison.same_text(stage, "error of rendering", error, ours ? "" : ours.error().message);
    if (error.empty() && ours) compare_works(stage, addon, *ours, comparison);
  }
}

void check_requests(const Stage& stage, Comparison& comparison) {
  if (!stage.configuration()) return;  // the reference did not run
  for (const auto& recorded : stage.objects("requests")) {
    const auto request = as_request(recorded);
    const auto cluster = cluster_of(request);
    const auto subject = subject_of(recorded);
    const auto* managed_cluster = stage.managed_cluster(cluster);
    const auto addons = stage.objects("managedclusteraddon");
    const auto addon = std::ranges::find_if(
        addons, [&](const json::object& each) { return namespace_of(each) == cluster; });
    if (managed_cluster == nullptr || addon == addons.end()) continue;
    const auto unit = stage.organizational_unit();
    const CsrContext context{.request = request,
                             .subject = subject,
                             .managed_cluster = managed_cluster,
                             .addon = &*addon,
                             .organizational_unit = unit};
    // The random end of the names that agents give is replaced in the recording.
    const bool genuine =
        name_of(request) == fmt::format("addon-{}-cluster-proxy-<5 random>", cluster);
    const auto decision = decide_approval(context);
    EXPECT_EQ(decision.yes, genuine) << stage.name() << " " << decision.reason;
    if (label_of(request, kAddonNameLabel) == kAddonName) {
      comparison.same_text(stage, genuine ? "request of an agent" : "request of a stranger",
                           true_at(recorded, "approved") ? "approved" : "left alone",
                           decision.yes ? "approved" : "left alone");
    }
    EXPECT_EQ(decision.reason.empty(), decision.yes);
  }
}

}  // namespace golden
