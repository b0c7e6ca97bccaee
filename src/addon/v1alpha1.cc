#include "addon/v1alpha1.h"

#include <utility>

#include "addon/names.h"

namespace addon::v1alpha1 {
namespace {

json::string text(std::string_view view) { return json::string(view.data(), view.size()); }

/// Moves `from` to another name; nothing without it.
void rename(json::object& object, const char* from, const char* to) {
  const auto* value = object.if_contains(from);
  if (value == nullptr) return;
  json::value moved = *value;
  object.erase(from);
  object[to] = std::move(moved);
}

json::value to_registration(json::object old, std::string_view driver) {
  json::object subject = kube::object_at(old, "subject");
  if (kube::text_at(old, "signerName") == kKubeClientSigner) {
    json::object client{{"subject", std::move(subject)}};
    if (!driver.empty()) client["driver"] = text(driver);
    return json::object{{"type", "kubeClient"}, {"kubeClient", std::move(client)}};
  }
  rename(subject, "organizationUnit", "organizationUnits");
  return json::object{{"type", "customSigner"},
                      {"customSigner", json::object{{"signerName", old["signerName"]},
                                                    {"subject", std::move(subject)}}}};
}

json::value from_registration(const json::object& registration, json::string& driver) {
  if (kube::text_at(registration, "type") == "kubeClient") {
    const auto& client = kube::object_at(registration, "kubeClient");
    driver = text(kube::text_at(client, "driver"));
    return json::object{{"signerName", text(kKubeClientSigner)},
                        {"subject", kube::object_at(client, "subject")}};
  }
  const auto& signer = kube::object_at(registration, "customSigner");
  json::object subject = kube::object_at(signer, "subject");
  rename(subject, "organizationUnits", "organizationUnit");
  return json::object{{"signerName", text(kube::text_at(signer, "signerName"))},
                      {"subject", std::move(subject)}};
}

json::array* array_in(json::object& object, const char* name) {
  auto* value = object.if_contains(name);
  return value != nullptr ? value->if_array() : nullptr;
}

void registrations_to_v1beta1(json::object& status) {
  const json::string driver = text(kube::text_at(status, "kubeClientDriver"));
  status.erase("kubeClientDriver");
  if (auto* registrations = array_in(status, "registrations")) {
    for (auto& each : *registrations) {
      if (each.is_object()) each = to_registration(each.get_object(), driver);
    }
  }
}

void install_namespace_to_v1beta1(json::object& object) {
  const json::string place =
      text(kube::text_at(kube::object_at(object, "spec"), "installNamespace"));
  if (place.empty()) return;
  auto& metadata = object["metadata"].get_object();
  auto& annotations = metadata["annotations"];
  if (!annotations.is_object()) annotations = json::object();
  annotations.get_object()[text(kInstallNamespaceAnnotation)] = place;
  object["spec"].get_object().erase("installNamespace");
}

}  // namespace

void to_v1beta1(json::object& object) {
  const auto kind = kube::text_at(object, "kind");
  auto* status = object.if_contains("status");
  const bool has_status = status != nullptr && status->is_object();
  if (kind == kAddonKind) {
    if (has_status) registrations_to_v1beta1(status->get_object());
    install_namespace_to_v1beta1(object);
  } else if (kind == kManagementAddonKind && has_status) {
    rename(status->get_object(), "defaultconfigReferences", "defaultConfigReferences");
  }
}

json::object status_from_v1beta1(json::object status) {
  rename(status, "defaultConfigReferences", "defaultconfigReferences");
  if (auto* registrations = array_in(status, "registrations")) {
    json::string driver;
    for (auto& each : *registrations) {
      if (each.is_object()) each = from_registration(each.get_object(), driver);
    }
    if (!driver.empty()) status["kubeClientDriver"] = driver;
  }
  return status;
}

}  // namespace addon::v1alpha1
