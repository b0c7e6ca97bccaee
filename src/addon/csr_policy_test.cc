#include "addon/csr_policy.h"

#include "addon/testing/fixture.h"

namespace addon {
namespace {

using testing::at;
using ::testing::HasSubstr;
using testing::parsed;

class CsrPolicy : public ::testing::Test {
 protected:
  CsrContext context() const {
    return {.request = request_,
            .subject = subject_,
            .managed_cluster = &cluster_,
            .addon = &addon_,
            .organizational_unit = "signer-1"};
  }
  std::string refusal() const {
    const auto decision = decide_approval(context());
    EXPECT_EQ(decision.yes, decision.reason.empty());
    return decision.reason;
  }
  json::object& spec() { return at(request_, {"spec"}); }
  void ask_for_tunnel() {
    spec()["signerName"] = "open-cluster-management.io/proxy-agent-signer";
    subject_.common_name = "open-cluster-management:cluster-proxy:proxy-agent";
    subject_.organizational_units = {"signer-1"};
  }

  json::object request_ = parsed(R"({
    "metadata": {"name": "addon-c1-cluster-proxy-abcde",
                 "labels": {"open-cluster-management.io/addon-name": "cluster-proxy",
                            "open-cluster-management.io/cluster-name": "c1"}},
    "spec": {"signerName": "kubernetes.io/kube-apiserver-client",
             "username": "system:open-cluster-management:c1:agent",
             "usages": ["digital signature", "key encipherment", "client auth"]}})");
  pki::DistinguishedName subject_{
      .common_name = "open-cluster-management:cluster-proxy:addon-agent",
      .organizations = {"open-cluster-management:cluster-proxy"},
      .organizational_units = {},
      .text = {}};
  json::object cluster_ = parsed(R"({"spec": {"hubAcceptsClient": true}})");
  json::object addon_ = parsed(R"({"metadata": {"name": "cluster-proxy"}})");
};

TEST_F(CsrPolicy, agents_of_both_signers_are_approved) {
  EXPECT_EQ(refusal(), "");
  ask_for_tunnel();
  EXPECT_EQ(refusal(), "");
}

TEST_F(CsrPolicy, order_of_organizations_does_not_matter) {
  subject_.organizations.push_back(subject_.organizations[0]);
  EXPECT_EQ(refusal(), "");
}

TEST_F(CsrPolicy, every_part_of_the_subject_must_be_registered) {
  const auto good = subject_;
  subject_.common_name = "cluster-admin";
  EXPECT_THAT(refusal(), HasSubstr("subject CN=cluster-admin"));
  subject_ = good;
  subject_.organizations.emplace_back("system:masters");
  EXPECT_THAT(refusal(), HasSubstr("system:masters"));
  subject_ = good;
  subject_.organizational_units = {"signer-1"};
  EXPECT_THAT(refusal(), HasSubstr("subject"));
}

TEST_F(CsrPolicy, unit_of_another_authority_is_refused) {
  ask_for_tunnel();
  subject_.organizational_units = {"signer-2"};
  EXPECT_THAT(refusal(), HasSubstr("signer-2"));
}

TEST_F(CsrPolicy, signer_must_be_one_of_two) {
  spec()["signerName"] = "kubernetes.io/kubelet-serving";
  EXPECT_THAT(refusal(), HasSubstr("kubernetes.io/kubelet-serving"));
}

TEST_F(CsrPolicy, requester_must_be_an_agent_of_the_cluster) {
  for (const auto* user :
       {"", "admin", "system:open-cluster-management:c1",
        "system:open-cluster-management:c10:agent", "system:open-cluster-management:c2:agent"}) {
    spec()["username"] = user;
    EXPECT_THAT(refusal(), HasSubstr("requester")) << user;
  }
}

TEST_F(CsrPolicy, grpc_server_asks_in_the_name_of_its_annotation) {
  spec()["username"] = "system:serviceaccount:open-cluster-management-hub:grpc-server-sa";
  EXPECT_THAT(refusal(), HasSubstr("requester"));
  at(request_, {"metadata", "annotations"})["open-cluster-management.io/csr-user"] =
      "system:open-cluster-management:c1:agent";
  EXPECT_EQ(refusal(), "");
  spec()["username"] = "someone";
  EXPECT_THAT(refusal(), HasSubstr("\"someone\""));
}

TEST_F(CsrPolicy, usages_must_be_those_of_a_client) {
  spec()["usages"] = {"digital signature", "server auth"};
  EXPECT_THAT(refusal(), HasSubstr("server auth"));
}

TEST_F(CsrPolicy, cluster_must_be_accepted_and_have_the_addon) {
  at(addon_, {"metadata"})["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  EXPECT_THAT(refusal(), HasSubstr("being deleted"));
  at(cluster_, {"spec"})["hubAcceptsClient"] = false;
  EXPECT_THAT(refusal(), HasSubstr("hubAcceptsClient"));
  auto nobody = context();
  nobody.managed_cluster = nullptr;
  EXPECT_THAT(decide_approval(nobody).reason, HasSubstr("does not exist"));
}

TEST_F(CsrPolicy, requests_of_others_are_left_alone) {
  auto& metadata = at(request_, {"metadata"});
  metadata["name"] = "csr-1";
  EXPECT_THAT(refusal(), HasSubstr("name"));
  metadata["name"] = "addon-x";
  at(metadata, {"labels"})["open-cluster-management.io/addon-name"] = "other";
  EXPECT_THAT(refusal(), HasSubstr("\"other\""));
}

TEST_F(CsrPolicy, signs_what_is_approved_and_would_be) {
  ask_for_tunnel();
  EXPECT_EQ(decide_signing(context()).reason, "not approved");
  request_ = approved(request_, "2026-01-01T00:00:00Z");
  EXPECT_TRUE(is_approved(request_));
  EXPECT_TRUE(decide_signing(context()).yes);
  EXPECT_EQ(refusal(), "approved already");
  subject_.common_name = "someone-else";
  EXPECT_THAT(decide_signing(context()).reason, HasSubstr("someone-else"));
}

TEST_F(CsrPolicy, signs_nothing_twice_and_nothing_denied_and_nothing_of_others) {
  ask_for_tunnel();
  request_ = approved(request_, "2026-01-01T00:00:00Z");
  auto& status = at(request_, {"status"});
  status["certificate"] = "QQ==";
  EXPECT_EQ(decide_signing(context()).reason, "signed already");
  status.erase("certificate");
  make_array(status, "conditions").push_back({{"type", "Denied"}, {"status", "True"}});
  EXPECT_EQ(decide_signing(context()).reason, "denied");
  make_array(status, "conditions").pop_back();
  spec()["signerName"] = "kubernetes.io/kube-apiserver-client";
  EXPECT_THAT(decide_signing(context()).reason, HasSubstr("signs it"));
}

TEST(AgentCertificate, is_a_client_that_names_its_cluster) {
  const auto policy = agent_certificate_policy("c1");
  EXPECT_THAT(policy.usages, ::testing::ElementsAre(pki::ExtendedKeyUsage::client_auth));
  EXPECT_THAT(policy.alt_names.uris,
              ::testing::ElementsAre("urn:open-cluster-management:cluster:c1"));
  EXPECT_TRUE(policy.alt_names.dns.empty());
}

}  // namespace
}  // namespace addon
