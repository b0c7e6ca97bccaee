#include "addon/cluster_profile.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using testing::parsed;

TEST(ClusterProfile, is_ours_with_both_labels) {
  EXPECT_TRUE(is_ours(parsed(R"({"metadata": {"labels": {
    "x-k8s.io/cluster-manager": "open-cluster-management", "open-cluster-management.io/cluster-name": ""}}})")));
  EXPECT_FALSE(is_ours(parsed(R"({"metadata": {"labels": {
    "x-k8s.io/cluster-manager": "other", "open-cluster-management.io/cluster-name": "c"}}})")));
  EXPECT_FALSE(is_ours(parsed(
      R"({"metadata": {"labels": {"x-k8s.io/cluster-manager": "open-cluster-management"}}})")));
  EXPECT_FALSE(is_ours({}));
}

TEST(ClusterProfile, provider_is_replaced_in_place) {
  const auto profile = parsed(R"({"metadata": {"name": "c1"}, "status": {"accessProviders": [
    {"name": "open-cluster-management", "cluster": {"server": "old"}}, {"name": "other"}]}})");
  const auto status =
      with_access_provider(profile, {.proxy_namespace = "hub", .ca_base64 = "Q0E="});
  const auto& providers = array_at(status, "accessProviders");
  ASSERT_EQ(providers.size(), 2U);
  EXPECT_EQ(text_at(object_at(providers[0].as_object(), "cluster"), "server"),
            "https://cluster-proxy-addon-user.hub:9092/c1");
  EXPECT_EQ(text_at(providers[1].as_object(), "name"), "other");
  EXPECT_TRUE(status.at("conditions").as_array().empty());
}

}  // namespace
}  // namespace addon
