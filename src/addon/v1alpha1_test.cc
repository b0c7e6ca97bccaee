#include "addon/v1alpha1.h"

#include <gtest/gtest.h>

namespace addon::v1alpha1 {
namespace {

json::object parsed(std::string_view text) { return kube::parse_json(text)->get_object(); }

constexpr const char* kOld = R"({
  "kind": "ManagedClusterAddOn",
  "metadata": {"name": "cluster-proxy", "namespace": "cluster1"},
  "spec": {"installNamespace": "open-cluster-management-agent-addon"},
  "status": {
    "kubeClientDriver": "csr",
    "namespace": "there",
    "registrations": [
      {"signerName": "kubernetes.io/kube-apiserver-client", "subject": {"user": "u", "groups": ["g"]}},
      {"signerName": "open-cluster-management.io/proxy-agent-signer",
       "subject": {"user": "v", "groups": ["g"], "organizationUnit": ["signer-1"]}}]}})";

constexpr const char* kNew = R"({
  "kind": "ManagedClusterAddOn",
  "metadata": {"name": "cluster-proxy", "namespace": "cluster1", "annotations": {
    "addon.open-cluster-management.io/v1alpha1-install-namespace": "open-cluster-management-agent-addon"}},
  "spec": {},
  "status": {
    "namespace": "there",
    "registrations": [
      {"type": "kubeClient", "kubeClient": {"subject": {"user": "u", "groups": ["g"]}, "driver": "csr"}},
      {"type": "customSigner", "customSigner": {
        "signerName": "open-cluster-management.io/proxy-agent-signer",
        "subject": {"user": "v", "groups": ["g"], "organizationUnits": ["signer-1"]}}}]}})";

TEST(V1alpha1, shows_an_addon_as_v1beta1_does) {
  auto object = parsed(kOld);
  to_v1beta1(object);
  EXPECT_EQ(object, parsed(kNew));
}

TEST(V1alpha1, writes_the_status_back_in_its_own_form) {
  const auto object = parsed(kNew);
  EXPECT_EQ(status_from_v1beta1(object.at("status").get_object()),
            parsed(kOld).at("status").get_object());
}

TEST(V1alpha1, keeps_the_driver_unset_until_an_agent_has_chosen_it) {
  auto object = parsed(kOld);
  object.at("status").get_object().erase("kubeClientDriver");
  to_v1beta1(object);
  const auto& client = object.at("status").at("registrations").at(0).at("kubeClient");
  EXPECT_FALSE(client.get_object().contains("driver"));
  const auto back = status_from_v1beta1(object.at("status").get_object());
  EXPECT_FALSE(back.contains("kubeClientDriver"));
}

TEST(V1alpha1, knows_the_other_spelling_of_the_default_references) {
  auto object = parsed(
      R"({"kind":"ClusterManagementAddOn","status":{"defaultconfigReferences":[{"resource":"x"}]}})");
  const auto before = object;
  to_v1beta1(object);
  EXPECT_TRUE(object.at("status").get_object().contains("defaultConfigReferences"));
  EXPECT_EQ(status_from_v1beta1(object.at("status").get_object()),
            before.at("status").get_object());
}

}  // namespace
}  // namespace addon::v1alpha1
