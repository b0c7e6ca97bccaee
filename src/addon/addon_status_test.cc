#include "addon/addon_status.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using std::chrono::seconds;
using testing::parsed;

constexpr kube::WallTime kNow{seconds(1'800'000'000)};

std::string time_of(const json::object& status, std::string_view type) {
  const json::object holder = {{"status", status}};
  const auto* condition = find_condition(holder, type);
  return std::string(condition == nullptr ? "" : text_at(*condition, "lastTransitionTime"));
}

TEST(Condition, transition_time_moves_with_the_status_only) {
  json::object status;
  set_condition(status, {.type = "A", .status = true, .reason = "r", .message = "m"}, kNow);
  const auto first = time_of(status, "A");
  EXPECT_EQ(first, kube::format_time(kNow));
  set_condition(status, {.type = "A", .status = true, .reason = "r2", .message = "m2"},
                kNow + seconds(5));
  EXPECT_EQ(time_of(status, "A"), first);
  set_condition(status, {.type = "A", .status = false, .reason = "r2", .message = "m2"},
                kNow + seconds(9));
  EXPECT_EQ(time_of(status, "A"), kube::format_time(kNow + seconds(9)));
  set_condition(status, {.type = "B", .status = true, .reason = "r", .message = ""}, kNow);
  remove_condition(status, "A");
  EXPECT_EQ(time_of(status, "A"), "");
  EXPECT_TRUE(condition_is_true({{"status", status}}, "B"));
}

/// Registrations made over those that are there, as text.
std::string registered(std::string_view existing) {
  json::object status = {{"registrations", kube::parse_json(existing).value()}};
  set_registrations(status, "ou");
  return canonical_json(array_at(status, "registrations"));
}

std::string expected(std::string_view kube_client) {
  return fmt::format(
      R"([{{"kubeClient":{},"type":"kubeClient"}},)"
      R"({{"customSigner":{{"signerName":"open-cluster-management.io/proxy-agent-signer",)"
      R"("subject":{{"groups":["open-cluster-management:cluster-proxy"],"organizationUnits":["ou"],)"
      R"("user":"open-cluster-management:cluster-proxy:proxy-agent"}}}},"type":"customSigner"}}])",
      kube_client);
}

constexpr std::string_view kSubject =
    R"("subject":{"groups":["open-cluster-management:cluster-proxy"],)"
    R"("user":"open-cluster-management:cluster-proxy:addon-agent"})";

TEST(Registrations, subject_is_ours_without_a_driver_and_with_csr) {
  const auto without = expected(fmt::format("{{{}}}", kSubject));
  for (
      const auto* existing :
      {"[]", R"([{"type":"kubeClient"}])", R"([{"type":"kubeClient","kubeClient":{}}])",
       R"([{"type":"kubeClient","kubeClient":{"driver":""}}])",
       R"([{"type":"kubeClient","kubeClient":{"subject":{"user":"foreign"}}}])",
       R"([{"type":"customSigner","customSigner":{"signerName":"other"}}])",
       R"([{"type":"customSigner","customSigner":{"signerName":"open-cluster-management.io/proxy-agent-signer",
             "subject":{"user":"foreign"}}}])"}) {
    EXPECT_EQ(registered(existing), without) << existing;
  }
  const auto csr = expected(fmt::format(R"({{"driver":"csr",{}}})", kSubject));
  for (const auto* existing : {R"([{"type":"kubeClient","kubeClient":{"driver":"csr"}}])",
                               R"([{"type":"customSigner"},
            {"type":"kubeClient","kubeClient":{"driver":"csr","subject":{"user":"foreign"}}}])"}) {
    EXPECT_EQ(registered(existing), csr) << existing;
  }
}

TEST(Registrations, subject_is_the_agents_with_the_token_driver) {
  EXPECT_EQ(registered(R"([{"type":"kubeClient","kubeClient":{"driver":"token"}}])"),
            expected(R"({"driver":"token"})"));
  EXPECT_EQ(
      registered(
          R"([{"type":"kubeClient","kubeClient":{"driver":"token","subject":{"user":"sa"}}}])"),
      expected(R"({"driver":"token","subject":{"user":"sa"}})"));
}

TEST(SupportedConfigs, are_set_once) {
  json::object status;
  EXPECT_TRUE(set_supported_configs(status));
  EXPECT_FALSE(set_supported_configs(status));
  EXPECT_EQ(
      canonical_json(status),
      R"({"supportedConfigs":[{"group":"proxy.open-cluster-management.io",)"
      R"("resource":"managedproxyconfigurations"},{"group":"addon.open-cluster-management.io",)"
      R"("resource":"addondeploymentconfigs"}]})");
}

TEST(Owner, is_known_by_kind_and_name) {
  const auto owned = [](std::string_view kind, std::string_view name) {
    return is_owned_by_management_addon(
        {{"metadata",
          {{"name", "cluster-proxy"},
           {"ownerReferences", {{{"apiVersion", "any"}, {"kind", kind}, {"name", name}}}}}}});
  };
  EXPECT_TRUE(owned("ClusterManagementAddOn", "cluster-proxy"));
  EXPECT_FALSE(owned("ClusterManagementAddOn", "other"));
  EXPECT_FALSE(owned("ManagedCluster", "cluster-proxy"));
  EXPECT_FALSE(is_owned_by_management_addon({}));
}

json::object work(std::string_view applied) {
  if (applied.empty()) return {};
  return {{"status", {{"conditions", {{{"type", "Applied"}, {"status", applied}}}}}}};
}

/// "True", "False" or "" from works, over what was there.
std::string manifest_applied(std::string_view before, const std::vector<json::object>& works) {
  json::object status;
  if (!before.empty()) {
    set_condition(
        status,
        {.type = "ManifestApplied", .status = before == "True", .reason = "r", .message = ""},
        kNow);
  }
  set_manifest_applied(status, works, kNow);
  const json::object holder = {{"status", status}};
  const auto* condition = find_condition(holder, "ManifestApplied");
  return std::string(condition == nullptr ? "" : text_at(*condition, "status"));
}

TEST(ManifestApplied, one_failure_is_a_failure) {
  EXPECT_EQ(manifest_applied("", {work("True")}), "True");
  EXPECT_EQ(manifest_applied("", {work("False"), work("True")}), "False");
  EXPECT_EQ(manifest_applied("True", {work("True"), work("Unknown")}), "False");
  EXPECT_EQ(manifest_applied("True", {work(""), work("False")}), "False");
  EXPECT_EQ(manifest_applied("", {}), "True");
}

TEST(ManifestApplied, stale_failure_goes_while_nothing_is_known) {
  EXPECT_EQ(manifest_applied("False", {work("")}), "");
  EXPECT_EQ(manifest_applied("True", {work("")}), "True");
  EXPECT_EQ(manifest_applied("", {work(""), work("True")}), "");
}

}  // namespace
}  // namespace addon
