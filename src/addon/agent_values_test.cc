#include "addon/agent_values.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using testing::at;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::parsed;

class AgentValues : public ::testing::Test {
 protected:
  json::object values() const {
    auto made = world_.values();
    EXPECT_TRUE(made) << made.error().message;
    return made.value_or(json::object());
  }
  std::string text(std::string_view name) const { return std::string(text_at(values(), name)); }
  std::string error() const {
    const auto made = world_.values();
    return made ? "" : made.error().message;
  }
  json::object& annotations() { return at(world_.cluster, {"metadata", "annotations"}); }

  testing::AgentWorld world_;
};

TEST_F(AgentValues, identifiers_name_the_service_proxy_first) {
  const std::string host = text("serviceProxyHost");
  EXPECT_EQ(text("agentIdentifiers"), "host=" + host + "&host=c1&host=c1.agents");
  world_.options.kube_api_proxy = false;
  EXPECT_EQ(text("agentIdentifiers"), "host=" + host);
}

TEST_F(AgentValues, image_is_the_flags_or_the_configurations) {
  EXPECT_EQ(text("tag"), "v1");
  world_.options.agent_image = "r/flag:v9";
  EXPECT_EQ(text("tag"), "v9");
  EXPECT_EQ(text("proxyAgentImage"), "r.example/a:v1");
  annotations()["open-cluster-management.io/image-registries"] =
      R"({"registries":[{"source":"r","mirror":"m"}]})";
  EXPECT_EQ(text("registry"), "m");
  EXPECT_EQ(text("proxyAgentImage"), "m.example/a:v1");
}

TEST_F(AgentValues, variables_override_all_but_what_is_built_in) {
  world_.configure({.variables = {{"serviceDomain", "x"},
                                  {"replicas", "5"},
                                  {"clusterName", "hacked"},
                                  {"addonInstallNamespace", "hacked"},
                                  {"installMode", "hacked"}}});
  EXPECT_EQ(text("serviceDomain"), "x");
  EXPECT_EQ(text("replicas"), "5");
  EXPECT_EQ(text("clusterName"), "c1");
  EXPECT_EQ(text("addonInstallNamespace"), "agents");
  EXPECT_EQ(text("installMode"), "Default");
}

TEST_F(AgentValues, node_placement_replaces_selector_and_tolerations_even_when_empty) {
  at(world_.cluster, {"metadata", "labels"})["local-cluster"] = "TRUE";
  annotations()["open-cluster-management/nodeSelector"] = R"({"a":"b"})";
  EXPECT_EQ(object_at(values(), "nodeSelector"), parsed(R"({"a":"b"})"));
  world_.configure({.node_placement = DeploymentConfig::NodePlacement()});
  EXPECT_TRUE(values().at("nodeSelector").is_null());
  EXPECT_TRUE(values().at("tolerations").is_null());
}

TEST_F(AgentValues, selector_of_a_cluster_that_is_not_local_does_not_count) {
  annotations()["open-cluster-management/nodeSelector"] = "not json";
  EXPECT_FALSE(has(values(), "nodeSelector"));
  at(world_.cluster, {"metadata", "labels"})["local-cluster"] = "true";
  EXPECT_THAT(error(), HasSubstr("ManagedCluster c1"));
  annotations()["open-cluster-management/nodeSelector"] = R"({"a":1})";
  EXPECT_THAT(error(), HasSubstr("ManagedCluster c1"));
}

TEST_F(AgentValues, namespace_is_that_of_the_referenced_configuration) {
  world_.configure({.install_namespace = "theirs"});
  EXPECT_EQ(text("addonInstallNamespace"), "theirs");
  EXPECT_EQ(text("spokeAddonNamespace"), "theirs");
  EXPECT_TRUE(text("agentIdentifiers").ends_with("&host=c1.theirs"));
  world_.config.reset();
  EXPECT_THAT(error(), HasSubstr("AddOnDeploymentConfig c1/adc does not exist"));
}

TEST_F(AgentValues, service_proxy_needs_its_certificate) {
  world_.options.service_proxy = true;
  EXPECT_THAT(error(), HasSubstr("cluster-proxy-service-proxy-server-cert"));
  world_.service_proxy_secret = parsed(R"({"data": {"tls.crt": "QQ==", "tls.key": ""}})");
  EXPECT_THAT(error(), HasSubstr("has no tls.key"));
  world_.service_proxy_secret = parsed(R"({"data": {"tls.crt": "QQ==", "tls.key": "Qg=="}})");
  EXPECT_EQ(text("serviceProxySecretKey"), "Qg==");
  EXPECT_TRUE(true_at(values(), "enableServiceProxy"));
}

TEST_F(AgentValues, load_balancer_without_address_is_an_error_for_now) {
  at(world_.configuration, {"spec", "proxyServer"})["entrypoint"] = {
      {"type", "LoadBalancerService"}, {"loadBalancerService", json::object()}};
  EXPECT_THAT(error(), HasSubstr("hub/proxy-agent-entrypoint"));
  world_.load_balancer =
      parsed(R"({"status": {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}}})");
  EXPECT_EQ(text("serviceEntryPoint"), "lb.example");
}

TEST_F(AgentValues, ca_bundle_counts_with_an_https_proxy_only) {
  const auto plain = text("base64EncodedCAData");
  world_.configure(
      {.proxy = DeploymentConfig::Proxy{.https_proxy = "http://p", .ca_bundle = "junk"}});
  EXPECT_EQ(text("base64EncodedCAData"), plain);
  EXPECT_EQ(text_at(object_at(values(), "proxyConfig"), "HTTPS_PROXY"), "http://p");
  world_.config->proxy->https_proxy = "https://p";
  EXPECT_THAT(error(), HasSubstr("spec.proxyConfig.caBundle"));
  EXPECT_THAT(error(), Not(HasSubstr("junk")));
}

TEST_F(AgentValues, port_forward_goes_through_the_addon_agent) {
  at(world_.configuration, {"spec", "proxyServer"})["entrypoint"] = {{"type", "PortForward"},
                                                                     {"port", 18091}};
  EXPECT_EQ(text("serviceEntryPoint"), "127.0.0.1");
  EXPECT_EQ(integer_at(values(), "serviceEntryPointPort"), 18091);
  EXPECT_EQ(texts_at(values(), "addonAgentArgs").back(), "--enable-port-forward-proxy=true");
}

}  // namespace
}  // namespace addon
