#include "addon/proxy_server.h"

#include "addon/names.h"
#include "addon/testing/fixture.h"

namespace addon {
namespace {

using testing::at;
using testing::configuration_object;
using testing::parsed;

class ProxyServer : public ::testing::Test {
 protected:
  DesiredObject desired(std::string_view kind) const {
    const auto configuration = read_proxy_configuration(object_);
    for (auto& each : proxy_server_objects({.configuration = configuration,
                                            .tls = tls_,
                                            .ca_pem = "ca",
                                            .image_pull_policy = "IfNotPresent"})) {
      if (text_at(each.object, "kind") == kind) return each;
    }
    return {};
  }
  json::object container() const {
    const auto deployment = desired("Deployment").object;
    const auto& pod = object_at(object_at(object_at(deployment, "spec"), "template"), "spec");
    return array_at(pod, "containers")[0].as_object();
  }
  json::value probe_port() const {
    const auto probe = object_at(container(), "readinessProbe");
    return probe.empty() ? json::value() : object_at(probe, "httpGet").at("port");
  }
  json::array& server_args() {
    return make_array(at(object_, {"spec", "proxyServer"}), "additionalArgs");
  }

  json::object object_ = configuration_object();
  TlsProfile tls_;
};

TEST_F(ProxyServer, tls_flags_come_after_additional_arguments) {
  server_args() = {"--tls-min-version=VersionTLS10"};
  tls_ = {.minimum_version = "VersionTLS13", .cipher_suites = {"A", "B"}};
  const auto args = texts_at(container(), "args");
  EXPECT_EQ(args.front(), "--server-count=2");
  EXPECT_THAT(
      std::vector(args.end() - 4, args.end()),
      ::testing::ElementsAre("--tls-min-version=VersionTLS10", "--cipher-suites=A,B",
                             "--tls-min-version=VersionTLS13", "--graceful-shutdown-timeout=20s"));
}

TEST_F(ProxyServer, probes_follow_the_health_port) {
  EXPECT_EQ(probe_port(), 8092);
  server_args() = {"--health-port=9000", "--health-port", "9001"};
  EXPECT_EQ(probe_port(), 9001);
  server_args() = {"--health-bind-address=0.0.0.0"};
  EXPECT_EQ(probe_port(), 8092);
  server_args() = {"--health-bind-address=127.0.0.1"};
  EXPECT_EQ(probe_port(), nullptr);
}

TEST_F(ProxyServer, service_account_is_only_created) {
  const auto account = desired("ServiceAccount");
  EXPECT_FALSE(needs_update({}, account));
  EXPECT_EQ(account.policy, Policy::create_only);
}

TEST_F(ProxyServer, needs_update_when_hash_generation_or_owner_differ) {
  const auto wanted = desired("Deployment");
  EXPECT_FALSE(needs_update(wanted.object, wanted));
  EXPECT_TRUE(needs_update({}, wanted));
  for (const auto key : {kGenerationAnnotation, kRenderedHashAnnotation, kTlsHashAnnotation}) {
    auto live = wanted.object;
    put(at(live, {"metadata", "annotations"}), key, "x");
    EXPECT_TRUE(needs_update(live, wanted)) << key;
  }
  auto newer = wanted.object;
  put(at(newer, {"metadata", "annotations"}), kGenerationAnnotation, "8");
  EXPECT_FALSE(needs_update(newer, wanted));
  auto orphan = wanted.object;
  at(orphan, {"metadata"}).erase("ownerReferences");
  EXPECT_TRUE(needs_update(orphan, wanted));
}

TEST_F(ProxyServer, merged_keeps_what_belongs_to_others) {
  const auto wanted = desired("Service").object;
  const auto live = parsed(R"({
    "kind": "Service",
    "metadata": {"resourceVersion": "5", "finalizers": ["f"], "labels": {"l": "1"},
                 "annotations": {"a": "1", "proxy.open-cluster-management.io/rendered-hash": "old"},
                 "ownerReferences": [{"uid": "other"}]},
    "spec": {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "ipFamilies": ["IPv4"],
             "ipFamilyPolicy": "SingleStack", "selector": {"x": "y"}}})");
  const auto result = merged(live, wanted);
  EXPECT_EQ(kube::resource_version_of(result), "5");
  EXPECT_EQ(label_of(result, "l"), "1");
  EXPECT_EQ(annotation_of(result, "a"), "1");
  EXPECT_EQ(annotation_of(result, kRenderedHashAnnotation),
            annotation_of(wanted, kRenderedHashAnnotation));
  EXPECT_EQ(array_at(object_at(result, "metadata"), "ownerReferences").size(), 2U);
  EXPECT_EQ(text_at(object_at(result, "spec"), "clusterIP"), "10.0.0.1");
  EXPECT_FALSE(has(object_at(object_at(result, "spec"), "selector"), "x"));
  EXPECT_EQ(merged(result, wanted), result);
}

TEST_F(ProxyServer, load_balancer_gets_its_annotations_and_keeps_the_rest) {
  at(object_, {"spec", "proxyServer"})["entrypoint"] = {
      {"type", "LoadBalancerService"},
      {"loadBalancerService", {{"name", "lb"}, {"annotations", {{{"key", "k"}, {"value", "v"}}}}}}};
  const auto configuration = read_proxy_configuration(object_);
  const auto service = load_balancer_service(configuration);
  EXPECT_EQ(annotation_of(service, "k"), "v");
  EXPECT_FALSE(load_balancer_update(service, configuration));
  const auto live =
      parsed(R"({"metadata": {"annotations": {"cloud": "1"}}, "spec": {"nodePort": 1}})");
  const auto update = load_balancer_update(live, configuration);
  ASSERT_TRUE(update);
  EXPECT_EQ(annotation_of(*update, "cloud"), "1");
  EXPECT_EQ(annotation_of(*update, "k"), "v");
  EXPECT_EQ(update->at("spec"), live.at("spec"));
}

TEST(LoadBalancerAddress, is_an_ip_or_a_host_name) {
  const auto address = [](std::string_view ingress) {
    return load_balancer_address(
        parsed(fmt::format(R"({{"status": {{"loadBalancer": {{"ingress": {}}}}}}})", ingress)));
  };
  EXPECT_EQ(address("[]"), std::nullopt);
  EXPECT_EQ(address("[{}]"), std::nullopt);
  EXPECT_EQ(address(R"([{"ip": "1.2.3.4", "hostname": "h"}])"), "1.2.3.4");
  EXPECT_EQ(address(R"([{"hostname": "h"}, {"ip": "1.2.3.4"}])"), "h");
}

}  // namespace
}  // namespace addon
