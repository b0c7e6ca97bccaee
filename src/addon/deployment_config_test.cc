#include "addon/deployment_config.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::parsed;

TEST(DeploymentConfig, tells_absent_from_empty) {
  const auto empty = read_deployment_config({});
  ASSERT_TRUE(empty);
  EXPECT_FALSE(empty->node_placement);
  EXPECT_FALSE(empty->proxy);
  const auto there =
      read_deployment_config(parsed(R"({"spec": {"nodePlacement": {}, "proxyConfig": {}}})"));
  ASSERT_TRUE(there);
  EXPECT_TRUE(there->node_placement);
  EXPECT_TRUE(there->proxy);
}

TEST(DeploymentConfig, reads_every_part) {
  const auto config = read_deployment_config(parsed(R"({"spec": {
    "agentInstallNamespace": "ns",
    "customizedVariables": [{"name": "a", "value": "1"}, {"name": "b", "value": ""}],
    "nodePlacement": {"nodeSelector": {"z": "1"}, "tolerations": [{"key": "k"}]},
    "proxyConfig": {"httpProxy": "h", "httpsProxy": "s", "noProxy": "n", "caBundle": "UEVN"},
    "resourceRequirements": [{"containerID": "a:b:c", "resources": {"limits": {"cpu": "1"}}}]}})"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->variables, ElementsAre(Pair("a", "1"), Pair("b", "")));
  EXPECT_EQ(config->proxy->ca_bundle, "PEM");
  EXPECT_EQ(config->resources.at(0).container_id, "a:b:c");
  EXPECT_EQ(config->install_namespace, "ns");
}

TEST(DeploymentConfig, refuses_what_the_schema_lets_through) {
  const auto bundle =
      read_deployment_config(parsed(R"({"spec": {"proxyConfig": {"caBundle": "!"}}})"));
  ASSERT_FALSE(bundle);
  EXPECT_THAT(bundle.error().message, HasSubstr("spec.proxyConfig.caBundle"));
  const auto id = read_deployment_config(
      parsed(R"({"spec": {"resourceRequirements": [{"containerID": "deployments:x"}]}})"));
  ASSERT_FALSE(id);
  EXPECT_THAT(id.error().message, HasSubstr("\"deployments:x\""));
}

TEST(ContainerId, covers_by_whole_parts) {
  EXPECT_TRUE(covers("*:*:*", "deployments:d:c"));
  EXPECT_TRUE(covers("deployments:d:c", "deployments:d:c"));
  EXPECT_TRUE(covers("*:d:*", "deployments:d:c"));
  EXPECT_FALSE(covers("deployments:d-*:c", "deployments:d-e:c"));
  EXPECT_FALSE(covers("jobs:*:*", "deployments:d:c"));
  EXPECT_FALSE(covers("*:*:x", "deployments:d:c"));
}

}  // namespace
}  // namespace addon
