#include "addon/addon_configs.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using ::testing::HasSubstr;
using testing::parsed;

const json::object* find_any(const ConfigName& config) {
  static const auto found = parsed(R"({"metadata":{"name":"n","generation":4},"spec":{"test":1}})");
  return config.name == "missing" ? nullptr : &found;
}

constexpr std::string_view kHash =
    "af144391b79b4b07bd7c579980ae9ed42dc8e34f7babebbf3fd08cacb578fba4";

json::object reference(std::string_view group, std::string_view resource, std::string_view name) {
  return {{"group", group},
          {"resource", resource},
          {"desiredConfig", {{"name", name}, {"specHash", "old"}}}};
}

TEST(ObserveConfigs, hashes_only_what_the_addon_itself_names) {
  auto addon = parsed(R"({"spec": {"configs": [
    {"group": "addon.open-cluster-management.io", "resource": "addondeploymentconfigs", "name": "own"}]}})");
  json::array references = {
      reference("addon.open-cluster-management.io", "addondeploymentconfigs", "own"),
      reference("proxy.open-cluster-management.io", "managedproxyconfigurations", "default"),
      reference("proxy.open-cluster-management.io", "managedproxyconfigurations", "missing"),
      reference("foreign", "foos", "own"),
      {{"group", "proxy.open-cluster-management.io"}, {"resource", "managedproxyconfigurations"}}};
  addon["status"] = {{"configReferences", references}};
  auto status = object_at(addon, "status");
  observe_configs(addon, status, find_any);

  auto& own = references[0].as_object();
  own["lastObservedGeneration"] = 4;
  own["desiredConfig"].as_object()["specHash"] = kHash;
  references[1].as_object()["lastObservedGeneration"] = 4;
  EXPECT_EQ(array_at(status, "configReferences"), references);
}

TEST(HashDefaultConfigs, hashes_defaults_and_progressions) {
  json::object status = {
      {"defaultConfigReferences",
       json::array{reference("proxy.open-cluster-management.io", "managedproxyconfigurations", "n"),
                   reference("foreign", "foos", "n")}},
      {"installProgressions",
       json::array{json::object{
           {"configReferences", json::array{reference("addon.open-cluster-management.io",
                                                      "addondeploymentconfigs", "missing")}}}}}};
  hash_default_configs(status, find_any);
  EXPECT_THAT(canonical_json(status.at("defaultConfigReferences").as_array()[0]), HasSubstr(kHash));
  EXPECT_THAT(canonical_json(status.at("defaultConfigReferences").as_array()[1]), HasSubstr("old"));
  EXPECT_THAT(canonical_json(status.at("installProgressions")), HasSubstr(R"("specHash":"")"));
  EXPECT_EQ(referenced_configs({{"status", status}}).size(), 2U);
}

TEST(AgentNamespace, comes_from_the_first_reference) {
  EXPECT_EQ(agent_namespace({}, nullptr, "fallback"), "fallback");
  const auto addon = [](std::string_view hash) {
    auto first = reference("addon.open-cluster-management.io", "addondeploymentconfigs", "adc");
    first["desiredConfig"].as_object()["specHash"] = hash;
    return json::object{{"status", {{"configReferences", json::array{std::move(first)}}}}};
  };
  const DeploymentConfig config{.install_namespace = "theirs"};
  EXPECT_EQ(agent_namespace(addon("h"), &config, "fallback"), "theirs");
  const DeploymentConfig silent;
  EXPECT_EQ(agent_namespace(addon("h"), &silent, "fallback"), "fallback");
  const auto undecided = agent_namespace(addon(""), &config, "fallback");
  ASSERT_FALSE(undecided);
  EXPECT_THAT(undecided.error().message,
              HasSubstr("addon cluster-proxy deployment config desired spec hash is empty"));
  EXPECT_FALSE(agent_namespace(addon("h"), nullptr, "fallback"));
}

}  // namespace
}  // namespace addon
