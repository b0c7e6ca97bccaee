#include "cli/manager_flags.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

base::Result<app::AddonManagerConfig> parse(std::vector<std::string> arguments,
                                            const std::string& pod_namespace = "hub-ns") {
  ManagerFlags flags;
  TRY_VOID(flags.table().parse(arguments));
  return flags.config(pod_namespace);
}

TEST(ManagerFlags, have_the_defaults_of_the_reference) {
  const auto config = parse({});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->metrics, (app::ListenAddress{"", 58080}));
  EXPECT_EQ(config->health, (app::ListenAddress{"", 58081}));
  EXPECT_FALSE(config->leader_elect);
  EXPECT_EQ(config->signer_namespace, "default");
  EXPECT_EQ(config->signer_secret, "cluster-proxy-signer");
  EXPECT_EQ(config->agent.install_namespace, "open-cluster-management-cluster-proxy");
  EXPECT_TRUE(config->agent.kube_api_proxy);
  EXPECT_TRUE(config->agent.service_proxy);
  EXPECT_FALSE(config->agent.network_policies);
  EXPECT_EQ(config->image_pull_policy, "IfNotPresent");
  EXPECT_FALSE(config->cluster_profiles);
}

TEST(ManagerFlags, take_the_arguments_of_the_charts_deployment) {
  const auto config =
      parse({"--leader-elect=true", "--signer-secret-namespace=hub-ns",
             "--agent-install-namespace=there", "--enable-kube-api-proxy=true",
             "--enable-service-proxy=false", "--feature-gates=ClusterProfile=true",
             "--image-pull-policy=Always", "--enable-network-policies=true", "-v=2"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->leader_elect);
  EXPECT_EQ(config->signer_namespace, "hub-ns");
  EXPECT_EQ(config->agent.install_namespace, "there");
  EXPECT_FALSE(config->agent.service_proxy);
  EXPECT_TRUE(config->agent.network_policies);
  EXPECT_TRUE(config->cluster_profiles);
}

TEST(ManagerFlags, name_what_is_wrong_and_what_there_is) {
  const auto gate = parse({"--feature-gates=Nonsense=true"});
  ASSERT_FALSE(gate);
  EXPECT_TRUE(gate.error().message.contains("ClusterProfile")) << gate.error().message;
  const auto policy = parse({"--image-pull-policy=Sometimes"});
  ASSERT_FALSE(policy);
  EXPECT_TRUE(policy.error().message.contains("Sometimes")) << policy.error().message;
  const auto place = parse({}, "");
  ASSERT_FALSE(place);
  EXPECT_TRUE(place.error().message.contains("POD_NAMESPACE")) << place.error().message;
}

}  // namespace
}  // namespace cli
