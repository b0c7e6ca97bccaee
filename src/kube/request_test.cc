#include "kube/request.h"

#include <gtest/gtest.h>

namespace kube {
namespace {

const Api kLeases({"coordination.k8s.io", "v1", "leases"}, "kube-system");
const Api kNodes({"", "v1", "nodes"}, "");

boost::json::object named(std::string_view name) {
  return {
      {"metadata", boost::json::object{{"name", boost::json::string(name.data(), name.size())}}}};
}

TEST(KubeRequest, paths_of_groups_and_namespaces) {
  EXPECT_EQ(kLeases.get("a").target,
            "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/a");
  EXPECT_EQ(kNodes.get("n", "status").target, "/api/v1/nodes/n/status");
  EXPECT_EQ(kNodes.list().target, "/api/v1/nodes");
}

TEST(KubeRequest, a_name_cannot_leave_its_place_in_the_path) {
  EXPECT_EQ(kNodes.get("../x?y").target, "/api/v1/nodes/..%2Fx%3Fy");
}

TEST(KubeRequest, list_carries_selectors_versions_and_pages) {
  ListOptions options{.label_selector = "a in (b,c)",
                      .field_selector = "metadata.name=x",
                      .resource_version = "5",
                      .resource_version_match = "NotOlderThan",
                      .limit = 500,
                      .continue_token = "t=="};
  EXPECT_EQ(
      kNodes.list(options).target,
      "/api/v1/"
      "nodes?labelSelector=a%20in%20%28b%2Cc%29&fieldSelector=metadata.name%3Dx&resourceVersion=5"
      "&resourceVersionMatch=NotOlderThan&limit=500&continue=t%3D%3D");
}

TEST(KubeRequest, watch_asks_for_bookmarks) {
  EXPECT_EQ(
      kNodes.watch({.resource_version = "7", .timeout = std::chrono::seconds(300)}).target,
      "/api/v1/nodes?watch=true&resourceVersion=7&allowWatchBookmarks=true&timeoutSeconds=300");
}

TEST(KubeRequest, watch_list_asks_for_initial_events) {
  EXPECT_EQ(
      kNodes.watch({.resource_version_match = "NotOlderThan", .send_initial_events = true}).target,
      "/api/v1/"
      "nodes?watch=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&"
      "sendInitialEvents=true");
}

TEST(KubeRequest, create_and_update_send_the_object) {
  const auto create = kLeases.create(named("a"), "me");
  EXPECT_EQ(create.method, "POST");
  EXPECT_EQ(create.target,
            "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases?fieldManager=me");
  EXPECT_EQ(create.find("content-type"), "application/json");
  EXPECT_EQ(create.body, R"({"metadata":{"name":"a"}})");
  const auto update = kLeases.update(named("a"), "status");
  EXPECT_EQ(update.method, "PUT");
  EXPECT_EQ(update.target, "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/a/status");
}

TEST(KubeRequest, each_patch_has_its_media_type) {
  EXPECT_EQ(kNodes.patch("n", named("n")).find("Content-Type"), "application/merge-patch+json");
  const auto apply = kNodes.patch(
      "n", named("n"),
      {.type = PatchType::apply, .field_manager = "m", .force = true, .subresource = "status"});
  EXPECT_EQ(apply.method, "PATCH");
  EXPECT_EQ(apply.target, "/api/v1/nodes/n/status?fieldManager=m&force=true");
  EXPECT_EQ(apply.find("Content-Type"), "application/apply-patch+yaml");
}

TEST(KubeRequest, delete_carries_preconditions) {
  EXPECT_EQ(
      kNodes.remove("n", {.uid = "u", .resource_version = "9", .propagation = "Background"}).body,
      R"({"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"u","resourceVersion":"9"},)"
      R"("propagationPolicy":"Background"})");
  EXPECT_EQ(kNodes.remove("n").body, R"({"kind":"DeleteOptions","apiVersion":"v1"})");
}

TEST(KubeRequest, token_of_a_service_account_is_a_subresource) {
  const Api accounts({"", "v1", "serviceaccounts"}, "ns");
  EXPECT_EQ(accounts.create_subresource("sa", "token", {}).target,
            "/api/v1/namespaces/ns/serviceaccounts/sa/token");
}

}  // namespace
}  // namespace kube
