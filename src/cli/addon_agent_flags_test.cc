#include "cli/addon_agent_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/testing/files.h"

namespace cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

base::Result<app::AddonAgentConfig> configure(const std::vector<std::string>& arguments,
                                              const std::string& pod_namespace = "agents") {
  AddonAgentFlags flags;
  auto parsed = flags.table().parse(arguments);
  if (!parsed) return base::fail(parsed.error());
  return flags.config(pod_namespace);
}

std::string refused(const std::vector<std::string>& arguments,
                    const std::string& pod_namespace = "agents") {
  const auto config = configure(arguments, pod_namespace);
  return config ? "accepted" : config.error().message;
}

TEST(AddonAgentFlags, have_the_reference_s_defaults) {
  const auto config = configure({});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->pod_namespace, "agents");
  EXPECT_EQ(config->hub_kubeconfig, "");
  EXPECT_EQ(config->cluster_name, "");
  EXPECT_TRUE(config->check_proxy_agent);
  EXPECT_EQ(config->ready_url, "http://localhost:8093/readyz");
  EXPECT_EQ(config->health, (app::ListenAddress{"", 8888}));
  EXPECT_EQ(config->watched.certificate, "/etc/tls/tls.crt");
  EXPECT_FALSE(config->forwarding.enabled);
  EXPECT_EQ(config->forwarding.listen, (app::ListenAddress{"localhost", 8091}));
  EXPECT_EQ(config->forwarding.server_namespace, "open-cluster-management-addon");
  EXPECT_EQ(config->forwarding.target_port, 8091);
}

TEST(AddonAgentFlags, take_the_command_line_of_the_reference_s_manifest) {
  const auto kubeconfig = testing::file("kubeconfig");
  const auto config =
      configure({"--v=2", "--hub-kubeconfig=" + kubeconfig, "--cluster-name=cluster1",
                 "--proxy-server-namespace=proxies", "--enable-port-forward-proxy=true"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->hub_kubeconfig, kubeconfig);
  EXPECT_EQ(config->cluster_name, "cluster1");
  EXPECT_TRUE(config->forwarding.enabled);
  EXPECT_EQ(config->forwarding.server_namespace, "proxies");
  EXPECT_EQ(config->log.verbosity, 2);
}

TEST(AddonAgentFlags, name_what_is_missing) {
  EXPECT_THAT(refused({}, ""), HasSubstr("POD_NAMESPACE is not set"));
  EXPECT_THAT(refused({"--hub-kubeconfig=/no/such/file"}),
              AllOf(HasSubstr("--hub-kubeconfig"), HasSubstr("/no/such/file")));
  EXPECT_THAT(refused({"--kubeconfig=/no/such/file"}), HasSubstr("--kubeconfig"));
}

TEST(AddonAgentFlags, check_addresses_and_ports) {
  const auto config = configure({"--port-forward-bind-address=127.0.0.1:18091",
                                 "--health-bind-address=:0", "--port-forward-target-port=9"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->forwarding.listen, (app::ListenAddress{"127.0.0.1", 18091}));
  EXPECT_EQ(config->forwarding.target_port, 9);
  EXPECT_THAT(refused({"--health-bind-address=8888"}), HasSubstr("want host:port"));
  EXPECT_THAT(refused({"--port-forward-bind-address=x:y"}),
              HasSubstr("--port-forward-bind-address"));
  EXPECT_THAT(refused({"--port-forward-target-port=0"}), HasSubstr("--port-forward-target-port"));
  EXPECT_THAT(refused({"--proxy-agent-ready-url=localhost"}), HasSubstr("want http://"));
}

}  // namespace
}  // namespace cli
