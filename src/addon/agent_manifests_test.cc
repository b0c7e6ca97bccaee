#include "addon/agent_manifests.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::parsed;

class AgentManifests : public ::testing::Test {
 protected:
  AgentManifests() { values_ = world_.values().value(); }

  std::vector<json::object> render() const {
    auto made = agent_manifests(values_);
    EXPECT_TRUE(made) << made.error().message;
    return made.value_or(std::vector<json::object>());
  }
  std::string error() const {
    const auto made = agent_manifests(values_);
    return made ? "" : made.error().message;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& each : render()) {
      list.push_back(fmt::format("{}/{}", text_at(each, "kind"), name_of(each)));
    }
    return list;
  }
  json::object pod() const {
    return object_at(object_at(object_at(render().back(), "spec"), "template"), "spec");
  }
  std::vector<std::string> args(std::size_t container) const {
    return texts_at(array_at(pod(), "containers")[container].as_object(), "args");
  }
  void use_service_proxy() {
    values_["enableServiceProxy"] = true;
    values_["serviceProxySecretCert"] = "QQ==";
    values_["serviceProxySecretKey"] = "Qg==";
  }

  testing::AgentWorld world_;
  json::object values_;
};

TEST_F(AgentManifests, come_in_the_order_of_installation) {
  values_["networkPolicies"] = {{"enabled", true}};
  values_["servicesToExpose"] = {{{"host", "h"}, {"externalName", "svc.ns"}}};
  EXPECT_THAT(
      names(),
      ElementsAre("Namespace/agents", "NetworkPolicy/cluster-proxy-proxy-agent-network-policy",
                  "ServiceAccount/cluster-proxy", "Secret/cluster-proxy-ca",
                  "ClusterRole/cluster-proxy-addon-agent-impersonator",
                  "ClusterRoleBinding/cluster-proxy-addon-agent-impersonator:agents",
                  "Role/cluster-proxy-addon-agent", "RoleBinding/cluster-proxy-addon-agent",
                  "Service/c1", "Service/h", "Deployment/cluster-proxy-proxy-agent"));
}

TEST_F(AgentManifests, agent_is_ready_when_it_is_connected) {
  const auto probe = [this] {
    const auto container = array_at(pod(), "containers")[0].as_object();
    return object_at(object_at(container, "readinessProbe"), "httpGet");
  };
  EXPECT_EQ(json::value(probe()), json::value({{"path", "/readyz?wait"}, {"port", 8093}}));
  values_["additionalProxyAgentArgs"] = json::array{"--health-server-port=9001"};
  EXPECT_EQ(probe().at("port"), 9001);
  values_["additionalProxyAgentArgs"] = json::array{"--health-server-host=127.0.0.1"};
  EXPECT_TRUE(probe().empty());
}

TEST_F(AgentManifests, text_is_true_whatever_it_says) {
  values_["enableKubeApiProxy"] = "false";
  EXPECT_THAT(names(), Contains("Service/c1"));
  values_["enableKubeApiProxy"] = "";
  EXPECT_THAT(names(), Not(Contains("Service/c1")));
}

TEST_F(AgentManifests, null_takes_the_charts_default_away) {
  EXPECT_EQ(array_at(pod(), "tolerations").size(), 2U);
  values_["tolerations"] = nullptr;
  EXPECT_FALSE(has(pod(), "tolerations"));
}

TEST_F(AgentManifests, values_that_break_the_schema_are_told_in_helms_words) {
  values_["includeNamespaceCreation"] = "true";
  values_["tolerations"] = "none";
  values_["oidcReservedNamePrefixes"] = "a,,b";
  EXPECT_EQ(error(),
            "values don't meet the specifications of the schema(s) in the following chart(s):\n"
            "cluster-proxy-agent-only:\n"
            "- at '/includeNamespaceCreation': got string, want boolean\n"
            "- at '/tolerations': got string, want array\n"
            "- at '/oidcReservedNamePrefixes': 'oneOf' failed, none matched\n"
            "  - at '/oidcReservedNamePrefixes': got string, want array\n"
            "  - at '/oidcReservedNamePrefixes': 'a,,b' does not match pattern "
            "'^(|[^,]+(,[^,]+)*)$'\n");
}

TEST_F(AgentManifests, values_that_would_break_the_managed_cluster_are_refused) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"replicas", "many"},
                                                        {"replicas", "-1"},
                                                        {"serviceEntryPointPort", "70000"},
                                                        {"serviceEntryPoint", "x\"]: {bad"},
                                                        {"serviceEntryPoint", ""},
                                                        {"serviceDomain", "a b"},
                                                        {"base64EncodedCAData", "!"}}) {
    const auto kept = values_.at(name);
    values_[name] = value;
    EXPECT_THAT(error(), HasSubstr("value " + name)) << value;
    values_[name] = kept;
  }
}

TEST_F(AgentManifests, errors_never_hold_a_secret) {
  use_service_proxy();
  values_["serviceProxySecretKey"] = "PRIVATE KEY";
  EXPECT_THAT(error(), HasSubstr("serviceProxySecretKey"));
  EXPECT_THAT(error(), Not(HasSubstr("PRIVATE")));
}

TEST_F(AgentManifests, last_resource_entry_that_covers_a_container_counts) {
  values_["global"] = parsed(R"({"resourceRequirements": [
    {"containerID": "*:*:*", "resources": {"a": 1}},
    {"containerID": "deployments:cluster-proxy-proxy-agent:proxy-agent", "resources": {"b": 2}}]})");
  const auto containers = array_at(pod(), "containers");
  EXPECT_EQ(containers[0].at("resources"), parsed(R"({"b": 2})"));
  EXPECT_EQ(containers[1].at("resources"), parsed(R"({"a": 1})"));
}

TEST_F(AgentManifests, service_proxy_may_impersonate_when_it_has_to) {
  const auto rules = [this] { return array_at(render()[3], "rules").size(); };
  EXPECT_EQ(rules(), 1U);
  use_service_proxy();
  EXPECT_EQ(array_at(render()[4], "rules").size(), 2U);
  values_["enableImpersonation"] = "false";
  EXPECT_EQ(array_at(render()[4], "rules").size(), 1U);
  values_["additionalServiceProxyArgs"] = json::array{"--oidc-issuer-url="};
  EXPECT_EQ(array_at(render()[4], "rules").size(), 1U);
  values_["additionalServiceProxyArgs"] = {"--oidc-issuer-url", "https://i"};
  EXPECT_EQ(array_at(render()[4], "rules").size(), 2U);
}

TEST_F(AgentManifests, oidc_values_become_arguments_in_order) {
  use_service_proxy();
  values_["oidcIssuerURL"] = "https://i";
  values_["oidcClientID"] = "c";
  values_["oidcSigningAlgs"] = {"RS256", "ES256"};
  values_["oidcRequiredClaimsJSON"] = R"({"z":"1","a":"2"})";
  values_["additionalServiceProxyArgs"] = json::array{"--x"};
  const auto all = args(2);
  EXPECT_THAT(
      std::vector(all.begin() + 5, all.end()),
      ElementsAre("--oidc-issuer-url=https://i", "--oidc-client-id=c",
                  "--oidc-reserved-name-prefixes=system:", "--oidc-signing-algs=RS256,ES256",
                  "--oidc-required-claim=a=2", "--oidc-required-claim=z=1", "--x"));
}

TEST_F(AgentManifests, contradictions_of_the_service_proxy_are_refused) {
  use_service_proxy();
  const auto with = [this](std::string_view name, json::value value) {
    const auto kept = values_;
    put(values_, name, std::move(value));
    const auto text = error();
    values_ = kept;
    return text;
  };
  EXPECT_EQ(with("oidcClientID", "c"), "oidcIssuerURL and oidcClientID must be specified together");
  EXPECT_EQ(with("oidcRequiredClaimsJSON", R"({"a":1})"),
            "oidcRequiredClaimsJSON values must be strings");
  EXPECT_THAT(with("oidcRequiredClaimsJSON", "[]"), HasSubstr("must be a JSON object"));
  for (const auto* arg :
       {"--enable-impersonation", "-enable-impersonation=true", "--enable_impersonation=false"}) {
    EXPECT_EQ(with("additionalServiceProxyArgs", json::array{arg}),
              "additionalServiceProxyArgs must not set --enable-impersonation; use "
              "enableImpersonation instead");
  }
  EXPECT_THAT(with("additionalServiceProxyArgs", {"--oidc-issuer-url=a", "--oidc-issuer-url=b"}),
              HasSubstr("more than once"));
  values_["oidcIssuerURL"] = "https://i";
  values_["oidcClientID"] = "c";
  EXPECT_THAT(with("additionalServiceProxyArgs", json::array{"--oidc-issuer-url=a"}),
              HasSubstr("remove one"));
}

}  // namespace
}  // namespace addon
