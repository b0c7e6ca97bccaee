#include "addon/addon_configs.h"

#include <algorithm>

#include <fmt/format.h>

#include "addon/names.h"
#include "addon/object.h"

namespace addon {
namespace {

using base::Code;
using base::fail;

ConfigName name_in(const json::object& reference, const json::object& holder) {
  return {.group = std::string(text_at(reference, "group")),
          .resource = std::string(text_at(reference, "resource")),
          .in_namespace = std::string(text_at(holder, "namespace")),
          .name = std::string(text_at(holder, "name"))};
}

/// The configuration of a reference in a status; nothing while it has none, or one we do not read.
std::optional<ConfigName> supported_name(const json::value& reference) {
  if (!reference.is_object() || !has(reference.get_object(), "desiredConfig")) return std::nullopt;
  const auto& object = reference.get_object();
  auto name = name_in(object, object_at(object, "desiredConfig"));
  return is_supported(name) ? std::optional(std::move(name)) : std::nullopt;
}

bool is_own(const json::object& addon, const ConfigName& config) {
  const auto& own = array_at(object_at(addon, "spec"), "configs");
  return std::ranges::any_of(own, [&](const json::value& each) {
    return each.is_object() && name_in(each.get_object(), each.get_object()) == config;
  });
}

std::int64_t generation_of(const json::object& object) {
  return integer_at(object_at(object, "metadata"), "generation").value_or(0);
}

void observe(json::object& reference, const json::object& config, bool own) {
  reference["lastObservedGeneration"] = generation_of(config);
  if (own) make_object(reference, "desiredConfig")["specHash"] = spec_hash(config);
}

void hash(json::array& references, const ConfigLookup& lookup) {
  for (auto& reference : references) {
    const auto name = supported_name(reference);
    if (!name) continue;
    const auto* config = lookup(*name);
    make_object(reference.get_object(), "desiredConfig")["specHash"] =
        config != nullptr ? spec_hash(*config) : std::string();
  }
}

void collect(const json::array& references, std::vector<ConfigName>& names) {
  for (const auto& reference : references) {
    if (auto name = supported_name(reference)) names.push_back(*std::move(name));
  }
}

}  // namespace

bool is_supported(const ConfigName& config) {
  return (config.group == kProxyGroup && config.resource == kConfigurationResource) ||
         (config.group == kAddonGroup && config.resource == kDeploymentConfigResource);
}

std::optional<ConfigReference> deployment_config_reference(const json::object& addon) {
  for (const auto& each : array_at(object_at(addon, "status"), "configReferences")) {
    if (!each.is_object()) continue;
    const auto& reference = each.get_object();
    const bool ours = text_at(reference, "group") == kAddonGroup &&
                      text_at(reference, "resource") == kDeploymentConfigResource;
    if (!ours) continue;
    const auto& desired = object_at(reference, "desiredConfig");
    return ConfigReference{.in_namespace = std::string(text_at(desired, "namespace")),
                           .name = std::string(text_at(desired, "name")),
                           .spec_hash = std::string(text_at(desired, "specHash"))};
  }
  return std::nullopt;
}

base::Result<std::string> agent_namespace(const json::object& addon, const DeploymentConfig* config,
                                          std::string_view fallback) {
  const auto reference = deployment_config_reference(addon);
  if (!reference) return std::string(fallback);
  const auto name =
      fmt::format("AddOnDeploymentConfig {}/{}", reference->in_namespace, reference->name);
  if (reference->spec_hash.empty()) {
    return fail(
        Code::unavailable,
        fmt::format("addon {} deployment config desired spec hash is empty: {} does not exist, or "
                    "OCM has not taken it up yet",
                    kAddonName, name));
  }
  if (config == nullptr) {
    return fail(Code::not_found,
                fmt::format("{} does not exist; create it, or remove the reference to it", name));
  }
  return config->install_namespace.empty() ? std::string(fallback) : config->install_namespace;
}

void observe_configs(const json::object& addon, json::object& status, const ConfigLookup& lookup) {
  if (!has(status, "configReferences")) return;
  for (auto& reference : make_array(status, "configReferences")) {
    const auto name = supported_name(reference);
    const auto* config = name ? lookup(*name) : nullptr;
    if (config != nullptr) observe(reference.get_object(), *config, is_own(addon, *name));
  }
}

void hash_default_configs(json::object& status, const ConfigLookup& lookup) {
  if (has(status, "defaultConfigReferences")) {
    hash(make_array(status, "defaultConfigReferences"), lookup);
  }
  if (!has(status, "installProgressions")) return;
  for (auto& progression : make_array(status, "installProgressions")) {
    if (!progression.is_object() || !has(progression.get_object(), "configReferences")) continue;
    hash(make_array(progression.get_object(), "configReferences"), lookup);
  }
}

std::vector<ConfigName> referenced_configs(const json::object& object) {
  std::vector<ConfigName> names;
  const auto& status = object_at(object, "status");
  collect(array_at(status, "configReferences"), names);
  collect(array_at(status, "defaultConfigReferences"), names);
  for (const auto& progression : array_at(status, "installProgressions")) {
    if (progression.is_object()) {
      collect(array_at(progression.get_object(), "configReferences"), names);
    }
  }
  return names;
}

}  // namespace addon
