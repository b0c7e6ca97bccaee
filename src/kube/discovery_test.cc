#include "kube/discovery.h"

#include "kube/testing/fixture.h"

namespace kube {
namespace {

class KubeDiscovery : public testing::FakeApiTest {
 protected:
  /// What a GET of `path` gives.
  void serve(const std::string& path, json::object answer) {
    const auto slash = path.rfind('/');
    answer["metadata"] = {{"name", path.substr(slash + 1)}};
    server_.put(path.substr(0, slash), std::move(answer));
  }
};

TEST_F(KubeDiscovery, versions_of_a_group) {
  serve("/apis/cluster.example", {{"name", "cluster.example"},
                                  {"versions", {{{"version", "v1"}}, {{"version", "v1beta2"}}}},
                                  {"preferredVersion", {{"version", "v1"}}}});
  const auto group = finish(discover_group(*client_, "cluster.example"));
  ASSERT_TRUE(group && *group);
  EXPECT_EQ((*group)->versions, (std::vector<std::string>{"v1", "v1beta2"}));
  EXPECT_EQ((*group)->preferred, "v1");
  EXPECT_TRUE((*group)->serves("v1beta2"));
  EXPECT_FALSE((*group)->serves("v1alpha1"));
}

TEST_F(KubeDiscovery, group_that_is_not_served_is_nothing_and_a_failure_an_error) {
  const auto missing = finish(discover_group(*client_, "other.example"));
  ASSERT_TRUE(missing);
  EXPECT_FALSE(*missing);
  server_.answer_next({.status = 403, .reason = "Forbidden"});
  EXPECT_TRUE(finish(discover_group(*client_, "other.example")).error().is_forbidden());
}

TEST_F(KubeDiscovery, core_group_has_no_name) {
  serve("/api", {{"versions", {"v1"}}});
  const auto core = finish(discover_group(*client_, ""));
  ASSERT_TRUE(core && *core);
  EXPECT_EQ((*core)->name, "");
  EXPECT_EQ((*core)->preferred, "v1");
}

TEST_F(KubeDiscovery, all_groups) {
  serve("/apis", {{"groups", {{{"name", "a"}}, {{"name", "b"}}}}});
  const auto groups = finish(discover_groups(*client_));
  ASSERT_TRUE(groups);
  ASSERT_EQ(groups->size(), 2);
  EXPECT_EQ((*groups)[1].name, "b");
}

TEST_F(KubeDiscovery, resources_of_a_version) {
  const json::object things{
      {"name", "things"}, {"kind", "Thing"}, {"namespaced", true}, {"verbs", {"get", "list"}}};
  const json::object scale{{"name", "things/scale"}, {"kind", "Scale"}, {"namespaced", true}};
  serve("/apis/g/v1", {{"resources", {things, scale}}});
  const auto resources = finish(discover_resources(*client_, "g", "v1"));
  ASSERT_TRUE(resources);
  const auto* thing = find_resource(*resources, "Thing");
  ASSERT_NE(thing, nullptr);
  EXPECT_EQ(thing, find_resource(*resources, "things"));
  EXPECT_TRUE(thing->namespaced);
  EXPECT_EQ(thing->verbs, (std::vector<std::string>{"get", "list"}));
  EXPECT_NE(find_resource(*resources, "things/scale"), nullptr);
  EXPECT_EQ(find_resource(*resources, "Scale"), nullptr);
  EXPECT_TRUE(finish(discover_resources(*client_, "g", "v2")).error().is_not_found());
}

}  // namespace
}  // namespace kube
