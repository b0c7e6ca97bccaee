#include "addon/proxy_configuration.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using testing::at;
using testing::configuration_object;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> problems(const json::object& object) {
  return validate(read_proxy_configuration(object));
}

TEST(ProxyConfiguration, fills_defaults_in_objects_that_are_there) {
  const auto read = read_proxy_configuration(configuration_object());
  EXPECT_EQ(read.generation, 7);
  EXPECT_EQ(read.secrets.proxy_server, "proxy-server");
  EXPECT_EQ(read.secrets.proxy_client, "proxy-client");
  EXPECT_EQ(read.secrets.agent_server, "agent-server");
  EXPECT_EQ(read.server.service_name, "proxy-entrypoint");
  EXPECT_EQ(entrypoint_port(read), 8091);
  EXPECT_FALSE(read.user_server);

  const auto nothing = read_proxy_configuration({});
  EXPECT_EQ(nothing.secrets.proxy_server, "");
  EXPECT_EQ(nothing.server.in_namespace, "open-cluster-management-cluster-proxy");
  EXPECT_EQ(nothing.server.replicas, 3);
  EXPECT_FALSE(nothing.server.entrypoint);
}

TEST(ProxyConfiguration, port_zero_is_the_default) {
  auto object = configuration_object();
  at(object, {"spec", "proxyServer", "entrypoint"})["port"] = 0;
  EXPECT_EQ(entrypoint_port(read_proxy_configuration(object)), 8091);
  at(object, {"spec", "proxyServer", "entrypoint"})["port"] = 443;
  EXPECT_EQ(entrypoint_port(read_proxy_configuration(object)), 443);
}

TEST(Validate, accepts_what_the_chart_makes) {
  EXPECT_THAT(problems(configuration_object()), IsEmpty());
  auto object = configuration_object();
  at(object, {"spec", "proxyServer"})["entrypoint"] = {{"type", "PortForward"}};
  EXPECT_THAT(problems(object), IsEmpty());
  at(object, {"spec", "proxyServer"})["replicas"] = 0;
  EXPECT_THAT(problems(object), IsEmpty());
}

TEST(Validate, tells_all_problems_of_an_empty_configuration) {
  EXPECT_THAT(
      problems({}),
      ElementsAre(StartsWith("spec.authentication.dump.secrets.signingProxyServerSecretName: "),
                  StartsWith("spec.authentication.dump.secrets.signingProxyClientSecretName: "),
                  StartsWith("spec.authentication.dump.secrets.signingAgentServerSecretName: "),
                  StartsWith("spec.proxyServer.image: missing"),
                  StartsWith("spec.proxyServer.entrypoint: missing"),
                  StartsWith("spec.proxyAgent.image: missing")));
}

TEST(Validate, wants_what_the_type_of_entrypoint_needs) {
  auto object = configuration_object();
  auto& server = at(object, {"spec", "proxyServer"});
  server["entrypoint"] = {{"type", "Hostname"}};
  EXPECT_THAT(problems(object),
              ElementsAre(StartsWith("spec.proxyServer.entrypoint.hostname.value: missing")));
  server["entrypoint"] = {{"type", "LoadBalancerService"}};
  EXPECT_THAT(problems(object),
              ElementsAre(StartsWith("spec.proxyServer.entrypoint.loadBalancerService: missing")));
  server["entrypoint"] = {{"type", "LoadBalancerService"}, {"loadBalancerService", json::object()}};
  EXPECT_THAT(problems(object), IsEmpty());
  server["entrypoint"] = {{"type", "Telepathy"}, {"port", 70000}};
  EXPECT_THAT(problems(object),
              ElementsAre(StartsWith("spec.proxyServer.entrypoint.type: \"Telepathy\""),
                          StartsWith("spec.proxyServer.entrypoint.port: 70000")));
}

TEST(Validate, refuses_annotation_keys_that_the_api_server_would_refuse) {
  auto object = configuration_object();
  at(object, {"spec", "proxyServer"})["entrypoint"] = {
      {"type", "LoadBalancerService"},
      {"loadBalancerService",
       {{"annotations",
         {{{"key", "service.beta.kubernetes.io/x"}, {"value", "any value: 1"}},
          {{"key", "not/valid/key"}, {"value", ""}},
          {{"key", "service.beta.kubernetes.io/x"}, {"value", "2"}}}}}}};
  const std::string path = "spec.proxyServer.entrypoint.loadBalancerService.annotations";
  EXPECT_THAT(problems(object), ElementsAre(StartsWith(path + "[1].key: \"not/valid/key\""),
                                            StartsWith(path + "[2].key: \"service.beta")));
}

TEST(Validate, refuses_names_that_collide) {
  auto object = configuration_object();
  auto& secrets = at(object, {"spec", "authentication", "dump", "secrets"});
  secrets["signingProxyServerSecretName"] = "proxy-server-ca";
  secrets["signingProxyClientSecretName"] = "agent-server";
  EXPECT_THAT(
      problems(object),
      ElementsAre(StartsWith("spec.authentication.dump.secrets.signingProxyServerSecretName"),
                  StartsWith("spec.authentication.dump.secrets.signingAgentServerSecretName")));
}

TEST(Validate, refuses_negative_replicas_and_bad_names) {
  auto object = configuration_object();
  at(object, {"spec", "proxyServer"})["replicas"] = -1;
  at(object, {"spec", "proxyAgent"})["replicas"] = -2;
  at(object, {"spec", "proxyServer"})["namespace"] = "Hub";
  EXPECT_THAT(problems(object), ElementsAre(StartsWith("spec.proxyServer.replicas: -1"),
                                            StartsWith("spec.proxyServer.namespace: \"Hub\""),
                                            StartsWith("spec.proxyAgent.replicas: -2")));
}

}  // namespace
}  // namespace addon
