#include <fmt/format.h>
#include <gtest/gtest.h>

#include "addon/addon_status.h"
#include "addon/names.h"
#include "checks.h"

namespace golden {

using namespace addon;

namespace {

ConfigLookup lookup(const Stage& stage) {
  return [&stage](const ConfigName& config) {
    return stage.find_config(config.resource, config.in_namespace, config.name);
  };
}

/// The status with what is ours to write taken out, but for drivers, which are the agent's.
json::object unwritten(const json::object& addon) {
  json::object status = object_at(addon, "status");
  status.erase("supportedConfigs");
  for (auto& each : make_array(status, "registrations")) {
    auto& registration = each.as_object();
    if (text_at(registration, "type") == "kubeClient") {
      make_object(registration, "kubeClient").erase("subject");
    }
  }
  for (auto& reference : make_array(status, "configReferences")) {
    const auto group = text_at(reference.as_object(), "group");
    if (group == kProxyGroup || group == kAddonGroup)
      reference.as_object()["lastObservedGeneration"] = 0;
  }
  return status;
}

json::object configs_and_registrations(const json::object& status) {
  json::object part;
  for (const auto* name : {"supportedConfigs", "registrations", "configReferences"}) {
    part[name] = array_at(status, name);
  }
  return part;
}

void clear_hashes(json::array& references) {
  for (auto& each : references) make_object(each.as_object(), "desiredConfig")["specHash"] = "";
}

}  // namespace

void check_addon_status(const Stage& stage, Comparison& comparison) {
  if (!stage.configuration()) return;
  for (const auto& addon : stage.objects("managedclusteraddon")) {
    const auto& recorded = object_at(addon, "status");
    if (array_at(recorded, "registrations").empty()) continue;  // nobody has run yet
    auto status = unwritten(addon);
    EXPECT_TRUE(set_supported_configs(status));
    EXPECT_FALSE(set_supported_configs(status));
    set_registrations(status, stage.organizational_unit());
    observe_configs(addon, status, lookup(stage));
    comparison.same(stage, "ManagedClusterAddOn status", configs_and_registrations(recorded),
                    configs_and_registrations(status));
    EXPECT_TRUE(is_owned_by_management_addon(addon));
    EXPECT_FALSE(status_patch(addon, recorded).has_value());

    const auto reference = deployment_config_reference(addon);
    const auto* object = reference ? stage.find_config(kDeploymentConfigResource,
                                                       reference->in_namespace, reference->name)
                                   : nullptr;
    std::optional<DeploymentConfig> config;
    if (object != nullptr) config = read_deployment_config(*object).value();
    const auto in_namespace = agent_namespace(addon, config ? &*config : nullptr,
                                              stage.agent_options().install_namespace);
    if (in_namespace) {
      comparison.same_text(stage, "namespace of the agent", text_at(recorded, "namespace"),
                           *in_namespace);
    }
  }
}

void check_management_addon(const Stage& stage, Comparison& comparison) {
  if (!stage.configuration()) return;
  for (const auto& addon : stage.objects("clustermanagementaddon")) {
    const auto& recorded = object_at(addon, "status");
    json::object status = recorded;
    clear_hashes(make_array(status, "defaultConfigReferences"));
    for (auto& each : make_array(status, "installProgressions")) {
      clear_hashes(make_array(each.as_object(), "configReferences"));
    }
    hash_default_configs(status, lookup(stage));
    json::object reference = recorded;
    make_array(reference, "defaultConfigReferences");
    make_array(reference, "installProgressions");
    for (auto& each : make_array(reference, "installProgressions")) {
      make_array(each.as_object(), "configReferences");
    }
    comparison.same(stage, "ClusterManagementAddOn status", reference, status);
  }
}

}  // namespace golden
