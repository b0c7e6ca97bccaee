#include "tunnel/server/cluster_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pki/identity.h"

namespace tunnel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Names = std::vector<std::string>;

IdentityPolicy policy(const Names& texts = {}) {
  std::vector<IdentifierPattern> patterns;
  for (const std::string& text : texts) patterns.push_back(IdentifierPattern::parse(text).value());
  return IdentityPolicy(IdentityMode::enforce, std::move(patterns));
}

std::string objection(const IdentityPolicy& policy, const Names& clusters,
                      const std::string& announced, bool held = false) {
  const auto identifiers = parse_identifiers(announced, UnknownKeys::refuse).value();
  const auto held_by_other = [held](const std::string&, const Names&) { return held; };
  return policy.objection(clusters, identifiers, held_by_other).value_or("none");
}

TEST(ClusterUris, are_told_from_other_uris) {
  EXPECT_THAT(pki::clusters_named(
                  {"spiffe://x", pki::cluster_uri("c1"), "urn:open-cluster-management:cluster:"}),
              ElementsAre("c1"));
  EXPECT_THAT(pki::clusters_named({}), IsEmpty());
}

TEST(ClusterIdentity, names_of_the_own_cluster_are_fine) {
  EXPECT_EQ(objection(policy(), {"c1"}, ""), "none");
  EXPECT_EQ(objection(policy(), {"c1"}, "host=c1&host=c1.agents&host=c1.a.b"), "none");
}

TEST(ClusterIdentity, the_addons_name_of_its_service_proxy_is_fine) {
  // As the reference's addon computes it of "cluster1".
  EXPECT_EQ(objection(policy(), {"cluster1"},
                      "host=cluster-a140791d2b20a847f2c74c62c384f93fb83691d871e80385.open-"
                      "cluster-management.proxy"),
            "none");
}

TEST(ClusterIdentity, names_of_other_clusters_are_not) {
  const std::string other_service_proxy =
      "host=cluster-" + std::string(48, '0') + ".open-cluster-management.proxy";
  for (const std::string& announced :
       {std::string("host=c2"), std::string("host=c2.agents"), std::string("host=c1&host=c2"),
        std::string("host=c10"), std::string("host=xc1"), std::string("ipv4=10.0.0.1"),
        std::string("ipv6=fd00::1"), std::string("default-route=true"), other_service_proxy})
    EXPECT_THAT(objection(policy(), {"c1"}, announced),
                HasSubstr("does not belong to cluster \"c1\""))
        << announced;
  EXPECT_THAT(objection(policy(), {"c1"}, "host=c2"), HasSubstr("--cluster-identifiers=c1=c2"));
}

TEST(ClusterIdentity, a_certificate_without_a_cluster_is_not_enough) {
  EXPECT_THAT(objection(policy(), {}, "host=c1"), HasSubstr("names no cluster"));
  EXPECT_THAT(objection(policy(), {}, ""), HasSubstr("names no cluster"));
}

TEST(ClusterIdentity, a_certificate_may_name_several) {
  EXPECT_EQ(objection(policy(), {"c1", "c2"}, "host=c1&host=c2"), "none");
}

TEST(ClusterIdentity, patterns_allow_more) {
  const auto more = policy({"c1=10.1.*", "*.{cluster}.example.com", "c1=default-route"});
  EXPECT_EQ(objection(more, {"c1"}, "ipv4=10.1.0.9&default-route=true"), "none");
  EXPECT_THAT(objection(more, {"c2"}, "ipv4=10.1.0.9"), HasSubstr("does not belong"));
  EXPECT_THAT(objection(more, {"c2"}, "default-route=true"), HasSubstr("default-route"));
  EXPECT_EQ(objection(more, {"c2"}, "host=api.c2.example.com"), "none");
  EXPECT_THAT(objection(more, {"c2"}, "host=api.c1.example.com"), HasSubstr("does not belong"));
}

TEST(ClusterIdentity, a_cluster_whose_name_looks_like_a_pattern_is_only_itself) {
  EXPECT_THAT(objection(policy({"{cluster}-x"}), {"*"}, "host=c1-x"), HasSubstr("does not belong"));
  EXPECT_EQ(objection(policy({"{cluster}-x"}), {"*"}, "host=*-x"), "none");
}

// As the reference's addon computes them of the service default/service1 of two clusters.
constexpr const char* kServiceOf1 =
    "host=cluster-proxy-1f28e10e03e76d3df8306b102a1da1adc79e744dd27fe48eb";
constexpr const char* kServiceOf2 =
    "host=cluster-proxy-b4f06837e9010588864962d5931c591e49ecf0e1e70de2c11";

TEST(ClusterIdentity, an_exported_service_is_the_own_clusters_only) {
  const auto exported = policy({"service:default/service1"});
  EXPECT_EQ(objection(exported, {"cluster1"}, kServiceOf1, true), "none");
  EXPECT_EQ(objection(exported, {"cluster2"}, kServiceOf2), "none");
  EXPECT_THAT(objection(exported, {"cluster2"}, kServiceOf1),
              HasSubstr("--cluster-identifiers=service:NAMESPACE/NAME"));
  EXPECT_THAT(objection(policy({"service:default/redis"}), {"cluster1"}, kServiceOf1),
              HasSubstr("does not belong"));
  EXPECT_THAT(objection(policy({"cluster2=service:default/service1"}), {"cluster1"}, kServiceOf1),
              HasSubstr("does not belong"));
}

TEST(ClusterIdentity, what_does_not_route_is_not_looked_at) {
  EXPECT_EQ(objection(policy(), {"c1"}, "cidr=10.0.0.0/8"), "none");
}

TEST(ClusterIdentity, shared_names_go_to_the_first) {
  const auto shared = policy({"cluster-proxy-*"});
  EXPECT_EQ(objection(shared, {"c1"}, "host=cluster-proxy-12ab", false), "none");
  EXPECT_THAT(objection(shared, {"c1"}, "host=cluster-proxy-12ab", true),
              HasSubstr("in use by another cluster"));
  EXPECT_EQ(objection(policy({"cluster-proxy-*", "c1=cluster-proxy-*"}), {"c1"},
                      "host=cluster-proxy-12ab", true),
            "none");
}

TEST(IdentifierPattern, says_how_it_is_written) {
  for (const char* text :
       {"", "=x", "c1=", "service:", "service:nginx", "service:/x", "service:default/",
        "service:default/*", "service:a/b/c", "service:{cluster}/x"}) {
    const auto parsed = IdentifierPattern::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message, HasSubstr("want [CLUSTER=]GLOB"));
  }
}

}  // namespace
}  // namespace tunnel
