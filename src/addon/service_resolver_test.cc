#include "addon/service_resolver.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::parsed;

json::object resolver(std::string_view set, std::string_view service) {
  return parsed(fmt::format(R"({{"spec": {{
    "managedClusterSelector": {{"type": "ManagedClusterSet", "managedClusterSet": {{"name": "{}"}}}},
    "serviceSelector": {{"type": "ServiceRef", "serviceRef": {{"namespace": "default", "name": "{}"}}}}}}}})",
                            set, service));
}

json::object cluster_set(std::string_view name, std::string_view selector) {
  return parsed(fmt::format(
      R"({{"metadata": {{"name": "{}"}}, "spec": {{"clusterSelector": {}}}}})", name, selector));
}

json::object cluster(std::string_view labels) {
  return parsed(fmt::format(R"({{"metadata": {{"name": "cluster1", "labels": {}}}}})", labels));
}

constexpr std::string_view kExclusive = R"({"selectorType": "ExclusiveClusterSetLabel"})";

TEST(ServiceResolver, state_follows_its_set) {
  const auto wanted = resolver("s", "x");
  auto set = cluster_set("s", kExclusive);
  EXPECT_TRUE(resolver_state(wanted, &set).available);
  EXPECT_EQ(resolver_state(wanted, &set).reason, "ManagedProxyServiceResolverAvaliable");
  EXPECT_EQ(resolver_state(wanted, nullptr).reason, "ManagedClusterSetNotExisted");
  at(set, {"metadata"})["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  EXPECT_EQ(resolver_state(wanted, &set).reason, "ManagedClusterSetDeleting");
  EXPECT_EQ(resolver_state({}, &set).reason, "ManagedProxyServiceResolverNotLegal");
}

TEST(ServiceResolver, is_legal_with_both_types_and_their_objects) {
  auto wanted = resolver("s", "x");
  EXPECT_TRUE(is_legal(wanted));
  at(wanted, {"spec", "serviceSelector"})["type"] = "Other";
  EXPECT_FALSE(is_legal(wanted));
  wanted = resolver("s", "x");
  at(wanted, {"spec", "managedClusterSelector"}).erase("managedClusterSet");
  EXPECT_FALSE(is_legal(wanted));
}

TEST(ServiceResolver, exposes_services_of_selecting_sets_once) {
  const auto member = cluster(R"({"cluster.open-cluster-management.io/clusterset": "s"})");
  const std::vector sets = {cluster_set("s", kExclusive), cluster_set("t", kExclusive)};
  const std::vector resolvers = {resolver("s", "service1"), resolver("s", "service1"),
                                 resolver("t", "service2"), json::object()};
  const auto services = exposed_services(member, sets, resolvers);
  EXPECT_THAT(services,
              ElementsAre(ExposedService{
                  .host = "cluster-proxy-1f28e10e03e76d3df8306b102a1da1adc79e744dd27fe48eb",
                  .external_name = "service1.default"}));
  EXPECT_THAT(exposed_services(cluster("{}"), sets, resolvers), IsEmpty());
}

TEST(ClusterSet, selects_by_labels) {
  const auto selects_with = [](std::string_view selector) {
    return selects(cluster_set("s", selector), cluster(R"({"a": "1", "b": "2"})"));
  };
  EXPECT_FALSE(selects_with(R"({"selectorType": "LabelSelector"})"));
  EXPECT_TRUE(selects_with(R"({"selectorType": "LabelSelector", "labelSelector": {}})"));
  EXPECT_TRUE(selects_with(
      R"({"selectorType": "LabelSelector", "labelSelector": {"matchLabels": {"a": "1"}}})"));
  EXPECT_FALSE(selects_with(
      R"({"selectorType": "LabelSelector", "labelSelector": {"matchLabels": {"a": "2"}}})"));
  const auto expression = [&](std::string_view text) {
    return selects_with(fmt::format(
        R"({{"selectorType": "LabelSelector", "labelSelector": {{"matchExpressions": [{}]}}}})",
        text));
  };
  EXPECT_TRUE(expression(R"({"key": "a", "operator": "In", "values": ["1", "9"]})"));
  EXPECT_FALSE(expression(R"({"key": "c", "operator": "In", "values": ["1"]})"));
  EXPECT_TRUE(expression(R"({"key": "c", "operator": "NotIn", "values": ["1"]})"));
  EXPECT_FALSE(expression(R"({"key": "a", "operator": "NotIn", "values": ["1"]})"));
  EXPECT_TRUE(expression(R"({"key": "a", "operator": "Exists"})"));
  EXPECT_FALSE(expression(R"({"key": "a", "operator": "DoesNotExist"})"));
  EXPECT_FALSE(expression(R"({"key": "a", "operator": "Near"})"));
}

}  // namespace
}  // namespace addon
