#include "addon/addon_status.h"

#include <algorithm>

#include "addon/names.h"
#include "addon/object.h"

namespace addon {
namespace {

constexpr std::string_view kManifestApplied = "ManifestApplied";

/// The kubeClient part of the registrations that are there; empty when there is none.
json::object current_kube_client(const json::object& status) {
  for (const auto& each : array_at(status, "registrations")) {
    if (each.is_object() && text_at(each.get_object(), "type") == "kubeClient") {
      return object_at(each.get_object(), "kubeClient");
    }
  }
  return {};
}

json::object kube_client(const json::object& current) {
  const auto driver = text_at(current, "driver");
  json::object registration;
  if (!driver.empty()) registration["driver"] = driver;
  if (driver != "token") {
    registration["subject"] = {{"user", kAddonAgentUser}, {"groups", json::array{kAgentGroup}}};
  } else if (has(current, "subject")) {
    registration["subject"] = object_at(current, "subject");
  }
  return registration;
}

json::object custom_signer(std::string_view organizational_unit) {
  return {{"signerName", kCustomSigner},
          {"subject",
           {{"user", kProxyAgentUser},
            {"groups", json::array{kAgentGroup}},
            {"organizationUnits", json::array{organizational_unit}}}}};
}

/// What the works say together: one failure is a failure.
enum class Applied { unknown, yes, no };

Applied applied(const std::vector<json::object>& works) {
  const auto none = [](const json::object& work) {
    return find_condition(work, "Applied") == nullptr;
  };
  const auto yes = [](const json::object& work) { return condition_is_true(work, "Applied"); };
  if (std::ranges::any_of(works, [&](const auto& work) { return !none(work) && !yes(work); })) {
    return Applied::no;
  }
  return std::ranges::all_of(works, yes) ? Applied::yes : Applied::unknown;
}

}  // namespace

bool is_owned_by_management_addon(const json::object& addon) {
  const auto& owners = array_at(object_at(addon, "metadata"), "ownerReferences");
  return std::ranges::any_of(owners, [&](const json::value& owner) {
    return owner.is_object() && text_at(owner.get_object(), "kind") == kManagementAddonKind &&
           text_at(owner.get_object(), "name") == name_of(addon);
  });
}

bool set_supported_configs(json::object& status) {
  const json::array wanted = {{{"group", kProxyGroup}, {"resource", kConfigurationResource}},
                              {{"group", kAddonGroup}, {"resource", kDeploymentConfigResource}}};
  auto& current = make_array(status, "supportedConfigs");
  if (semantically_equal(current, wanted)) return false;
  current = wanted;
  return true;
}

void set_registrations(json::object& status, std::string_view organizational_unit) {
  json::object client = {{"type", "kubeClient"},
                         {"kubeClient", kube_client(current_kube_client(status))}};
  json::object signer = {{"type", "customSigner"},
                         {"customSigner", custom_signer(organizational_unit)}};
  status["registrations"] = json::array{std::move(client), std::move(signer)};
}

void set_manifest_applied(json::object& status, const std::vector<json::object>& works,
                          kube::WallTime now) {
  Condition condition{.type = std::string(kManifestApplied),
                      .status = true,
                      .reason = "AddonManifestApplied",
                      .message = "manifests of addon are applied successfully"};
  if (works.empty()) condition.message = "no manifest need to apply";
  switch (applied(works)) {
    case Applied::yes:
      return set_condition(status, condition, now);
    case Applied::no:
      condition.status = false;
      condition.reason = "AddonManifestAppliedFailed";
      condition.message = "failed to apply the manifests of addon";
      return set_condition(status, condition, now);
    case Applied::unknown:
      break;
  }
  const json::object holder = {{"status", status}};
  const auto* old = find_condition(holder, kManifestApplied);
  if (old != nullptr && text_at(*old, "status") == "False")
    remove_condition(status, kManifestApplied);
}

}  // namespace addon
