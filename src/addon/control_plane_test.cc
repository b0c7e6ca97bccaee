#include "addon/control_plane.h"

#include <boost/json/serialize.hpp>

#include "addon/canonical_json.h"
#include "addon/conditions.h"
#include "addon/names.h"
#include "kube/testing/fixture.h"

namespace addon {
namespace {

const std::string kConfigurations =
    "/apis/proxy.open-cluster-management.io/v1alpha1/managedproxyconfigurations";
const std::string kManagementAddons =
    "/apis/addon.open-cluster-management.io/v1beta1/clustermanagementaddons";
const std::string kClusters = "/apis/cluster.open-cluster-management.io/v1/managedclusters";
const std::string kAddons =
    "/apis/addon.open-cluster-management.io/v1beta1/namespaces/cluster1/managedclusteraddons";
const std::string kWorks =
    "/apis/work.open-cluster-management.io/v1/namespaces/cluster1/manifestworks";
const std::string kSecrets = "/api/v1/namespaces/hub-ns/secrets";
const std::string kDeployment = "/apis/apps/v1/namespaces/hub-ns/deployments/cluster-proxy";

json::object parsed(std::string_view text) { return kube::parse_json(text)->get_object(); }

json::object configuration() {
  return parsed(R"({
    "apiVersion": "proxy.open-cluster-management.io/v1alpha1", "kind": "ManagedProxyConfiguration",
    "metadata": {"name": "cluster-proxy", "uid": "mpc-uid", "generation": 1},
    "spec": {
      "authentication": {"signer": {"type": "SelfSigned"}, "dump": {"secrets": {
        "signingProxyServerSecretName": "proxy-server", "signingProxyClientSecretName": "proxy-client",
        "signingAgentServerSecretName": "agent-server"}}},
      "proxyServer": {"image": "example.io/cluster-proxy:v1", "replicas": 1, "namespace": "hub-ns",
        "inClusterServiceName": "proxy-entrypoint",
        "entrypoint": {"type": "Hostname", "hostname": {"value": "hub.example.com"}, "port": 8091}},
      "proxyAgent": {"image": "example.io/cluster-proxy:v1", "replicas": 1}}})");
}

json::object managed_addon() {
  return parsed(R"({
    "apiVersion": "addon.open-cluster-management.io/v1beta1", "kind": "ManagedClusterAddOn",
    "metadata": {"name": "cluster-proxy", "namespace": "cluster1", "uid": "addon-uid", "generation": 1,
      "ownerReferences": [{"kind": "ClusterManagementAddOn", "name": "cluster-proxy", "uid": "cma-uid",
        "apiVersion": "addon.open-cluster-management.io/v1alpha1"}]},
    "spec": {},
    "status": {"conditions": [{"type": "Configured", "status": "True", "reason": "ConfigurationsConfigured",
      "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}})");
}

class ControlPlaneTest : public kube::testing::FakeApiTest {
 protected:
  void SetUp() override {
    server_.put("/api/v1/namespaces", parsed(R"({"metadata": {"name": "hub-ns"}})"));
    server_.put(kManagementAddons, parsed(R"({
      "metadata": {"name": "cluster-proxy", "uid": "cma-uid"},
      "status": {"defaultConfigReferences": [{"group": "proxy.open-cluster-management.io",
        "resource": "managedproxyconfigurations", "desiredConfig": {"name": "cluster-proxy"}}]}})"));
    server_.put(kClusters, parsed(R"({
      "metadata": {"name": "cluster1"}, "spec": {"hubAcceptsClient": true},
      "status": {"conditions": [{"type": "ManagedClusterConditionAvailable", "status": "True"}]}})"));
  }

  void start() {
    ControlPlane::Options options;
    options.signer = {"hub-ns", "cluster-proxy-signer"};
    options.agent.install_namespace = "agents";
    options.pod_namespace = "hub-ns";
    plane_ = std::make_unique<ControlPlane>(loop_, *client_, events_, metrics_, std::move(options));
    tasks_.spawn("watch", watch(*plane_));
  }
  static async::Task<void> watch(ControlPlane& plane) {
    CO_TRY_VOID(co_await plane.watch());
    plane.lead();
    co_return base::Result<void>{};
  }
  void stop() {
    await(plane_->stop());
    plane_.reset();
  }
  void TearDown() override {
    if (plane_) stop();
    FakeApiTest::TearDown();
  }

  const json::object& object(const std::string& path) {
    static const json::object none;
    const auto* found = server_.find(path);
    return found != nullptr ? *found : none;
  }
  bool has_condition(const std::string& path, std::string_view type, std::string_view reason) {
    const auto* condition = find_condition(object(path), type);
    return condition != nullptr && kube::text_at(*condition, "reason") == reason;
  }
  bool is_registered() {
    return has_condition(kAddons + "/cluster-proxy", "RegistrationApplied", "SetPermissionApplied");
  }
  bool has_work() { return server_.find(kWorks + "/addon-cluster-proxy-deploy-0") != nullptr; }
  /// What the work agent of the cluster says of our work.
  void apply_work() {
    auto work = object(kWorks + "/addon-cluster-proxy-deploy-0");
    work["status"] = parsed(
        R"({"conditions": [{"type": "Applied", "status": "True", "observedGeneration": 1}]})");
    server_.put(kWorks, work);
  }
  std::size_t writes() {
    return server_.count_requests("POST") + server_.count_requests("PUT") +
           server_.count_requests("PATCH") + server_.count_requests("DELETE");
  }
  /// Stops the world at the first write after `before`; false when none comes.
  bool runs_until_write(std::size_t before) {
    constexpr int kLongQuiet = 200;
    for (int quiet = 0; writes() == before && quiet < kLongQuiet;) {
      loop_.restart();
      if (loop_.run_one_for(std::chrono::milliseconds(1)) > 0) continue;
      ++quiet;
      clock_.advance(step_);
    }
    return writes() > before;
  }
  /// Nothing is under way, and nothing follows from what has been done.
  bool settled() {
    const auto before = writes();
    for (int i = 0; i < 50; ++i) {
      loop_.restart();
      loop_.run_for(std::chrono::milliseconds(2));
    }
    return writes() == before;
  }

  kube::EventRecorder events_{loop_, *client_, {.component = "test"}};
  metrics::Registry registry_;
  controller::ControllerMetrics metrics_{registry_};
  std::unique_ptr<ControlPlane> plane_;
};

TEST_F(ControlPlaneTest, installs_servers_and_agents_with_few_writes) {
  server_.put(kConfigurations, configuration());
  server_.put(kAddons, managed_addon());
  start();
  ASSERT_TRUE(eventually([&] { return is_registered() && has_work(); }));
  ASSERT_TRUE(eventually([&] {
    return has_condition(kConfigurations + "/cluster-proxy", "ProxyServerDeployed",
                         "SuccessfullyDeployed");
  }));
  for (const char* secret : {"cluster-proxy-signer", "proxy-server", "agent-server", "proxy-client",
                             "proxy-server-ca"}) {
    EXPECT_NE(server_.find(kSecrets + "/" + secret), nullptr) << secret;
  }
  apply_work();
  ASSERT_TRUE(eventually([&] {
    return has_condition(kAddons + "/cluster-proxy", "ManifestApplied", "AddonManifestApplied");
  }));
  ASSERT_TRUE(eventually([&] { return settled(); }));
  // 1 CA, 3 certificates, 6 objects of the servers, 1 status of the configuration (2 when the
  // Deployment is seen late), 1 hash, 4 rights, 1 registration, 1 work, 1 ManifestApplied.
  EXPECT_LE(writes(), 20U);
}

TEST_F(ControlPlaneTest, an_incomplete_configuration_is_told_and_disturbs_nothing) {
  auto bad = configuration();
  bad["spec"].get_object()["proxyServer"].get_object().erase("entrypoint");
  server_.put(kConfigurations, bad);
  start();
  ASSERT_TRUE(eventually([&] {
    return has_condition(kConfigurations + "/cluster-proxy", "ProxyServerDeployed",
                         "InvalidConfiguration");
  }));
  const auto* condition =
      find_condition(object(kConfigurations + "/cluster-proxy"), "ProxyServerDeployed");
  EXPECT_TRUE(kube::text_at(*condition, "message").contains("spec.proxyServer.entrypoint"));
  EXPECT_EQ(server_.find(kDeployment), nullptr);

  server_.put(kConfigurations, configuration());
  EXPECT_TRUE(eventually([&] { return server_.find(kDeployment) != nullptr; }));
  const auto installed = object(kDeployment);
  server_.put(kConfigurations, bad);
  ASSERT_TRUE(eventually([&] {
    return has_condition(kConfigurations + "/cluster-proxy", "ProxyServerDeployed",
                         "InvalidConfiguration");
  }));
  EXPECT_EQ(object(kDeployment), installed);
}

TEST_F(ControlPlaneTest, puts_right_what_others_delete_or_change) {
  server_.put(kConfigurations, configuration());
  start();
  ASSERT_TRUE(eventually([&] { return server_.find(kDeployment) != nullptr; }));
  ASSERT_TRUE(eventually([&] { return settled(); }));
  const auto client_secret = kSecrets + "/proxy-client";
  server_.erase(client_secret);
  EXPECT_TRUE(eventually([&] { return server_.find(client_secret) != nullptr; }));

  auto changed = object(kDeployment);
  changed["spec"].get_object()["replicas"] = 7;
  server_.put("/apis/apps/v1/namespaces/hub-ns/deployments", changed);
  EXPECT_TRUE(
      eventually([&] { return object(kDeployment).at("spec").get_object().at("replicas") == 1; }));
}

TEST_F(ControlPlaneTest, another_manager_goes_on_from_wherever_the_last_one_was_killed) {
  server_.put(kConfigurations, configuration());
  server_.put(kAddons, managed_addon());
  std::size_t killed_after = 0;
  for (;; ++killed_after) {
    const auto before = writes();
    start();
    const bool wrote = runs_until_write(before);
    stop();
    if (!wrote) break;
    ASSERT_LT(killed_after, 60U);
  }
  EXPECT_TRUE(is_registered());
  EXPECT_TRUE(has_work());
  EXPECT_NE(server_.find(kDeployment), nullptr);
  EXPECT_GE(killed_after, 5U);
}

TEST_F(ControlPlaneTest, keeps_what_is_installed_until_the_rollout_reaches_the_cluster) {
  server_.put(kConfigurations, configuration());
  server_.put(kAddons, managed_addon());
  start();
  ASSERT_TRUE(eventually([&] { return has_work(); }));
  auto addon = object(kAddons + "/cluster-proxy");
  const auto hash = spec_hash(configuration());
  addon["status"].get_object()["configReferences"] = json::array{
      json::object{{"group", "proxy.open-cluster-management.io"},
                   {"resource", "managedproxyconfigurations"},
                   {"desiredConfig", json::object{{"name", "cluster-proxy"}, {"specHash", hash}}}}};
  server_.put(kAddons, addon);
  ASSERT_TRUE(eventually([&] { return settled(); }));

  auto newer = configuration();
  newer["metadata"].get_object()["generation"] = 2;
  newer["spec"].get_object()["proxyAgent"].get_object()["image"] = "example.io/cluster-proxy:v2";
  server_.put(kConfigurations, newer);
  const auto work_path = kWorks + "/addon-cluster-proxy-deploy-0";
  const auto installed = object(work_path);
  ASSERT_TRUE(eventually([&] {
    return json::serialize(object(kDeployment)).contains("\"generation\"") && settled();
  }));
  EXPECT_EQ(object(work_path).at("spec"), installed.at("spec"));

  addon = object(kAddons + "/cluster-proxy");
  addon["status"].at("configReferences").at(0).at("desiredConfig").get_object()["specHash"] =
      spec_hash(newer);
  server_.put(kAddons, addon);
  EXPECT_TRUE(
      eventually([&] { return json::serialize(object(work_path)).contains("cluster-proxy:v2"); }));
}

}  // namespace
}  // namespace addon
