#include "addon/work.h"

#include "addon/names.h"
#include "addon/orphans.h"
#include "addon/testing/fixture.h"

namespace addon {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::parsed;

json::object manifest_of(std::string_view kind, std::string_view name, std::size_t size = 0) {
  return {{"apiVersion", "v1"},
          {"kind", kind},
          {"metadata", {{"name", name}}},
          {"data", std::string(size, 'x')}};
}

class Work : public ::testing::Test {
 protected:
  WorkPlan plan() {
    auto made = plan_works({.addon = addon_, .manifests = manifests_, .existing = existing_});
    EXPECT_TRUE(made) << made.error().message;
    return made.value_or(WorkPlan());
  }
  static std::vector<std::string> contents(const json::object& work) {
    std::vector<std::string> names = {std::string(name_of(work))};
    for (const auto& each : array_at(object_at(object_at(work, "spec"), "workload"), "manifests")) {
      names.emplace_back(name_of(each.as_object()));
    }
    return names;
  }

  json::object addon_ =
      parsed(R"({"metadata": {"name": "cluster-proxy", "namespace": "c1", "uid": "a1"}})");
  std::vector<json::object> manifests_;
  std::vector<json::object> existing_;
};

TEST_F(Work, keeps_the_given_order_in_one_work) {
  manifests_ = {manifest_of("Namespace", "n"), manifest_of("Secret", "s"),
                manifest_of("Role", "r")};
  const auto wanted = plan().wanted;
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_THAT(contents(wanted[0]), ElementsAre("addon-cluster-proxy-deploy-0", "n", "s", "r"));
  EXPECT_EQ(label_of(wanted[0], kAddonNameLabel), "cluster-proxy");
  EXPECT_EQ(namespace_of(wanted[0]), "c1");
}

TEST_F(Work, opens_another_before_the_budget_is_reached_and_fills_the_emptiest) {
  manifests_ = {manifest_of("A", "a", 300000), manifest_of("B", "b", 200000),
                manifest_of("C", "c", 100000), manifest_of("D", "d", 100000)};
  const auto wanted = plan().wanted;
  ASSERT_EQ(wanted.size(), 2U);
  EXPECT_THAT(contents(wanted[0]), ElementsAre("addon-cluster-proxy-deploy-0", "a", "d"));
  EXPECT_THAT(contents(wanted[1]), ElementsAre("addon-cluster-proxy-deploy-1", "b", "c"));
}

TEST_F(Work, manifest_too_large_for_any_work_is_an_error) {
  manifests_ = {manifest_of("A", "small"), manifest_of("ConfigMap", "huge", 520000)};
  const auto made = plan_works({.addon = addon_, .manifests = manifests_, .existing = {}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("ConfigMap huge"));
  manifests_[1] = manifest_of("ConfigMap", "large", 450000);
  EXPECT_EQ(plan().wanted.size(), 2U);
}

TEST_F(Work, manifests_stay_in_the_work_and_the_place_where_they_are) {
  manifests_ = {manifest_of("A", "a"), manifest_of("B", "b"), manifest_of("C", "c")};
  existing_ = plan().wanted;
  manifests_ = {manifest_of("Namespace", "n"), manifest_of("C", "c", 5), manifest_of("D", "d"),
                manifest_of("A", "a")};
  const auto wanted = plan().wanted;
  ASSERT_EQ(wanted.size(), 1U);
  EXPECT_THAT(contents(wanted[0]), ElementsAre("addon-cluster-proxy-deploy-0", "n", "a", "c", "d"));
}

TEST_F(Work, gaps_are_filled_and_empty_works_are_obsolete) {
  manifests_ = {manifest_of("A", "a", 300000), manifest_of("B", "b", 300000),
                manifest_of("C", "c", 300000)};
  existing_ = plan().wanted;
  ASSERT_EQ(existing_.size(), 3U);
  manifests_.erase(manifests_.begin());
  const auto shrunk = plan();
  EXPECT_THAT(shrunk.obsolete, ElementsAre("addon-cluster-proxy-deploy-0"));
  existing_ = shrunk.wanted;
  manifests_.push_back(manifest_of("D", "d", 300000));
  EXPECT_EQ(contents(plan().wanted[0])[0], "addon-cluster-proxy-deploy-0");
}

TEST_F(Work, what_outgrows_a_work_moves_on) {
  manifests_ = {manifest_of("A", "a", 100000), manifest_of("B", "b", 100000)};
  existing_ = plan().wanted;
  manifests_ = {manifest_of("A", "a", 300000), manifest_of("B", "b", 300000)};
  EXPECT_EQ(plan().wanted.size(), 2U);
}

TEST_F(Work, last_of_the_same_manifests_wins) {
  manifests_ = {manifest_of("A", "a", 1), manifest_of("A", "a", 2)};
  const auto wanted = plan().wanted;
  EXPECT_THAT(contents(wanted[0]), ElementsAre("addon-cluster-proxy-deploy-0", "a"));
  EXPECT_THAT(canonical_json(wanted[0]), HasSubstr("\"xx\""));
}

TEST_F(Work, annotated_manifests_are_orphaned) {
  manifests_ = {manifest_of("Namespace", "n"), manifest_of("Role", "r")};
  EXPECT_FALSE(has(object_at(plan().wanted[0], "spec"), "deleteOption"));
  put(at(manifests_[0], {"metadata", "annotations"}), kDeletionOrphanAnnotation, "");
  EXPECT_EQ(canonical_json(object_at(object_at(plan().wanted[0], "spec"), "deleteOption")),
            R"({"propagationPolicy":"SelectivelyOrphan","selectivelyOrphans":{"orphaningRules":)"
            R"([{"group":"","name":"n","namespace":"","resource":"namespaces"}]}})");
}

TEST_F(Work, patch_says_only_what_changes) {
  manifests_ = {manifest_of("A", "a")};
  auto live = plan().wanted[0];
  at(live, {"metadata"})["resourceVersion"] = "5";
  at(live, {"metadata"})["uid"] = "w1";
  at(live, {"metadata", "labels"})["foreign"] = "kept";
  EXPECT_FALSE(work_patch(live, plan().wanted[0]));

  at(addon_, {"status"})["configReferences"] =
      parsed(
          R"({"a": [{"group": "g", "resource": "r", "desiredConfig": {"name": "n", "specHash": "h"}}]})")
          .at("a");
  const auto patch = work_patch(live, plan().wanted[0]);
  ASSERT_TRUE(patch);
  EXPECT_EQ(canonical_json(*patch),
            R"({"metadata":{"annotations":{"open-cluster-management.io/config-spec-hash":)"
            R"("{\"r.g//n\":\"h\"}"},"resourceVersion":"5","uid":"w1"}})");
}

TEST_F(Work, patch_sees_defaults_and_times_as_equal) {
  const auto wanted = parsed(R"({"spec": {"deleteOption": {}, "workload": {"manifests": [
    {"kind": "A", "spec": {"template": {"metadata": {}}}}]}}})");
  const auto live = parsed(R"({"spec": {"deleteOption": {"propagationPolicy": "Foreground"},
    "workload": {"manifests": [{"kind": "A", "metadata": {"creationTimestamp": null},
      "spec": {"template": {"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}}}}]}}})");
  EXPECT_FALSE(work_patch(live, wanted));
}

TEST_F(Work, annotation_goes_with_the_last_configuration) {
  manifests_ = {manifest_of("A", "a")};
  auto live = plan().wanted[0];
  put(at(live, {"metadata", "annotations"}), kConfigSpecHashAnnotation, "{}");
  const auto patch = work_patch(live, plan().wanted[0]);
  ASSERT_TRUE(patch);
  EXPECT_THAT(canonical_json(*patch),
              HasSubstr(R"("open-cluster-management.io/config-spec-hash":null)"));
}

TEST(ConfigSpecHashes, skip_references_without_a_decision) {
  EXPECT_EQ(config_spec_hashes({}), "");
  EXPECT_EQ(config_spec_hashes(parsed(R"({"status": {"configReferences": [{"resource": "r"}]}})")),
            "{}");
  EXPECT_EQ(config_spec_hashes(parsed(R"({"status": {"configReferences": [
              {"group": "", "resource": "r", "desiredConfig": {"namespace": "ns", "name": "n"}}]}})")),
            R"({"r/ns/n":""})");
}

TEST(DeployWork, is_known_by_its_name) {
  EXPECT_TRUE(is_deploy_work("addon-cluster-proxy-deploy-12"));
  for (const auto* other :
       {"addon-cluster-proxy-deploy-", "addon-cluster-proxy-deploy-x",
        "addon-cluster-proxy-deploy-hosting-1", "addon-cluster-proxy-pre-delete"}) {
    EXPECT_FALSE(is_deploy_work(other)) << other;
  }
}

TEST(Plural, is_guessed_as_the_work_agent_does) {
  EXPECT_EQ(plural_of("Namespace"), "namespaces");
  EXPECT_EQ(plural_of("NetworkPolicy"), "networkpolicies");
  EXPECT_EQ(plural_of("Ingress"), "ingresses");
  EXPECT_EQ(plural_of("Endpoints"), "endpoints");
}

}  // namespace
}  // namespace addon
