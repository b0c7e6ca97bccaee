#include "addon/hub_rbac.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using testing::parsed;

json::object addon_with(std::string_view registrations) {
  return parsed(fmt::format(
      R"({{"metadata": {{"name": "cluster-proxy", "namespace": "c1", "uid": "a"}},
           "status": {{"registrations": {}}}}})",
      registrations));
}

TEST(AgentSubjects, are_user_and_groups_of_the_kube_client) {
  EXPECT_EQ(canonical_json(agent_subjects(addon_with(
                R"([{"type":"customSigner","customSigner":{"subject":{"user":"no"}}},
                    {"type":"kubeClient","kubeClient":{"subject":
                      {"user":"u","groups":["g","system:authenticated"]}}}])"))),
            R"([{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"u"},)"
            R"({"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"g"}])");
}

TEST(AgentSubjects, are_none_before_registration) {
  for (
      const auto* registrations :
      {"[]", R"([{"type":"kubeClient"}])", R"([{"type":"customSigner","customSigner":{}}])",
       R"([{"type":"kubeClient","kubeClient":{"subject":{}}}])",
       R"([{"type":"kubeClient","kubeClient":{"subject":{"groups":["system:authenticated"]}}}])"}) {
    EXPECT_TRUE(agent_subjects(addon_with(registrations)).empty()) << registrations;
  }
}

class HubRbac : public ::testing::Test {
 protected:
  json::object addon_ =
      addon_with(R"([{"type":"kubeClient","kubeClient":{"subject":{"user":"u1"}}}])");
  json::array subjects_ = agent_subjects(addon_);
};

TEST_F(HubRbac, namespaced_objects_are_owned) {
  const auto objects = hub_rbac(addon_, subjects_, {}, nullptr);
  ASSERT_EQ(objects.size(), 4U);
  EXPECT_EQ(namespace_of(objects[0]), "c1");
  EXPECT_EQ(array_at(object_at(objects[1], "metadata"), "ownerReferences").size(), 1U);
  EXPECT_FALSE(has(object_at(objects[3], "metadata"), "ownerReferences"));
  EXPECT_EQ(hub_rbac(addon_, subjects_, {.token_review = false}, nullptr).size(), 2U);
}

TEST_F(HubRbac, what_is_cluster_wide_goes_with_the_management_addon) {
  addon_["metadata"].as_object()["ownerReferences"] = json::array{
      {{"apiVersion", "a/v1"}, {"kind", "ClusterManagementAddOn"}, {"name", "n"}, {"uid", "m"}}};
  const auto wanted = hub_rbac(addon_, subjects_, {}, nullptr)[2];
  const auto& owners = array_at(object_at(wanted, "metadata"), "ownerReferences");
  ASSERT_EQ(owners.size(), 1U);
  EXPECT_EQ(text_at(owners[0].as_object(), "uid"), "m");
  auto live = wanted;
  EXPECT_TRUE(has_owners(live, wanted));
  live.erase("metadata");
  EXPECT_FALSE(has_owners(live, wanted));
  EXPECT_TRUE(has_owners(wanted, live));
}

TEST_F(HubRbac, subjects_of_other_clusters_stay) {
  const auto live = parsed(R"({"subjects": [{"kind": "User", "name": "u0"}]})");
  const auto binding = hub_rbac(addon_, subjects_, {}, &live)[3];
  EXPECT_EQ(array_at(binding, "subjects").size(), 2U);
  EXPECT_EQ(hub_rbac(addon_, subjects_, {}, &binding)[3], binding);
}

TEST_F(HubRbac, only_rules_subjects_and_role_make_a_difference) {
  const auto wanted = hub_rbac(addon_, subjects_, {}, nullptr)[1];
  auto live = wanted;
  live["metadata"] = {{"labels", {{"foreign", "1"}}}};
  EXPECT_FALSE(rbac_differs(live, wanted));
  live["subjects"] = json::array();
  EXPECT_TRUE(rbac_differs(live, wanted));
  EXPECT_FALSE(needs_recreation(live, wanted));
  live["roleRef"] = {{"name", "other"}};
  EXPECT_TRUE(needs_recreation(live, wanted));
}

}  // namespace
}  // namespace addon
