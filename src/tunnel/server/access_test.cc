#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/packet.h"
#include "tunnel/server/client_rules.h"
#include "tunnel/server/testing/harness.h"

namespace tunnel {
namespace {

using testing::Harness;
using ::testing::HasSubstr;

// A TLS connection as far as a policy looks at it: the certificate of the client.
class Shown : public net::TlsStream {
 public:
  Shown(std::vector<std::string> uris, std::string pem)
      : uris_(std::move(uris)), pem_(std::move(pem)) {}
  std::string alpn() const override { return ""; }
  std::string peer_subject() const override { return "CN=x"; }
  std::vector<std::string> peer_uris() const override { return uris_; }
  std::string peer_certificate() const override { return pem_; }

  async::Task<std::size_t> read_some(base::MutableBytes) override { co_return std::size_t{0}; }
  std::optional<base::Result<std::size_t>> try_read(base::MutableBytes) override { return {}; }
  async::Task<void> wait_readable() override { co_return base::Result<void>{}; }
  async::Task<void> wait_gone() override { co_return base::Result<void>{}; }
  void interrupt() override {}
  async::Task<void> write_all(base::Bytes) override { co_return base::Result<void>{}; }
  async::Task<void> shutdown_write() override { co_return base::Result<void>{}; }
  void close() override {}
  void abort() override {}
  int descriptor() override { return -1; }
  std::string peer() const override { return "x"; }

 private:
  std::vector<std::string> uris_;
  std::string pem_;
};

ClientPolicy policy(const std::vector<std::string>& texts) {
  std::vector<ClientRule> rules;
  for (const std::string& text : texts) rules.push_back(ClientRule::parse(text).value());
  return ClientPolicy(std::move(rules));
}

class Access : public ::testing::Test {
 protected:
  void enforce(IdentityMode mode = IdentityMode::enforce) {
    identity_ = IdentityPolicy(mode);
    server.admission.identity = &identity_;
  }
  // What a client with this access is answered when it dials.
  std::string answer(std::shared_ptr<const ClientAccess> access, const std::string& target) {
    const auto client = server.client(std::move(access));
    client->send(encode_dial_request("tcp", target, 7));
    const auto answers = client->received();
    return answers.empty() ? "dialing" : answers.front();
  }

  Harness server{{Strategy::dest_host}};
  IdentityPolicy identity_{IdentityMode::off};
};

TEST_F(Access, an_agent_gets_the_names_of_its_own_cluster_only) {
  enforce();
  const auto own = server.agent("a", "host=c1", {"c1"});
  EXPECT_FALSE(own->status());
  const auto other = server.agent("b", "host=c1", {"c2"});
  ASSERT_TRUE(other->status());
  EXPECT_EQ(other->status()->code, grpc::StatusCode::permission_denied);
  EXPECT_THAT(other->status()->message, HasSubstr("does not belong to cluster \"c2\""));
  EXPECT_EQ(server.context.router.size(), 1U);
  EXPECT_THAT(server.metrics(), HasSubstr("identity_violations_total{action=\"refused\"} 1"));
}

TEST_F(Access, a_client_of_the_same_authority_is_no_agent) {
  enforce();
  const auto client = server.agent("a", "host=c1", {});
  ASSERT_TRUE(client->status());
  EXPECT_EQ(client->status()->code, grpc::StatusCode::permission_denied);
}

TEST_F(Access, a_warning_lets_in_and_counts) {
  enforce(IdentityMode::warn);
  const auto other = server.agent("b", "host=c1", {"c2"});
  EXPECT_FALSE(other->status());
  EXPECT_THAT(server.metrics(), HasSubstr("identity_violations_total{action=\"admitted\"} 1"));
}

TEST_F(Access, off_looks_at_nothing) {
  enforce(IdentityMode::off);
  EXPECT_FALSE(server.agent("b", "host=c1", {"c2"})->status());
  EXPECT_THAT(server.metrics(), ::testing::Not(HasSubstr("identity_violations_total{")));
}

TEST_F(Access, a_shared_name_stays_with_the_cluster_that_has_it) {
  identity_ = IdentityPolicy(IdentityMode::enforce, {IdentifierPattern::parse("shared-*").value()});
  server.admission.identity = &identity_;
  auto first = server.agent("a", "host=shared-x", {"c1"});
  EXPECT_FALSE(first->status());
  EXPECT_FALSE(server.agent("a2", "host=shared-x", {"c1"})->status());
  EXPECT_TRUE(server.agent("b", "host=shared-x", {"c2"})->status());
}

TEST_F(Access, an_exported_service_of_another_cluster_is_refused_even_while_its_owner_is_away) {
  identity_ = IdentityPolicy(IdentityMode::enforce,
                             {IdentifierPattern::parse("service:default/nginx").value()});
  server.admission.identity = &identity_;
  const std::string nginx_of_c1 =
      "host=cluster-proxy-b5a01e643eefc30dd87d0c93852f07bf47841d0b6610dd2f0";
  const auto thief = server.agent("b", nginx_of_c1, {"c2"});
  ASSERT_TRUE(thief->status());
  EXPECT_THAT(thief->status()->message, HasSubstr("does not belong to cluster \"c2\""));
  EXPECT_FALSE(server.agent("a", nginx_of_c1, {"c1"})->status());
}

TEST_F(Access, an_agents_certificate_opens_no_frontend) {
  const auto agent = server.agent("a", "host=c1", {"c1"});
  const Shown shown({"urn:open-cluster-management:cluster:c1"}, "");
  EXPECT_THAT(answer(policy({}).access_of(shown), "c1:443"),
              HasSubstr("error=client client-address is not allowed: its certificate is that of "
                        "an agent, of cluster \"c1\""));
  EXPECT_THAT(server.metrics(), HasSubstr("dial_failure_count{reason=\"forbidden\"} 1"));
  EXPECT_EQ(answer(policy({}).access_of(Shown({}, "")), "c1:443"), "dialing");
}

TEST_F(Access, where_there_are_rules_all_else_is_refused) {
  const auto agent = server.agent("a", "host=c1&host=c2", {"c1"});
  const auto rules = policy({"unix; cluster=c1; destination=*:443"});
  EXPECT_EQ(answer(rules.access_of_socket(), "c1:443"), "dialing");
  EXPECT_THAT(answer(rules.access_of_socket(), "c1:80"),
              HasSubstr("is not allowed to reach c1:80 of cluster \"c1\": no --allow-client"));
  EXPECT_THAT(answer(rules.access_of(Shown({}, "")), "c1:443"),
              HasSubstr("no --allow-client rule of the server names it"));
}

TEST_F(Access, a_rule_counts_by_the_cluster_of_the_agents_certificate) {
  const auto agent = server.agent("calls itself c1", "host=c1", {"c2"});
  const auto rules = policy({"unix; cluster=c1"});
  EXPECT_THAT(answer(rules.access_of_socket(), "c1:443"), HasSubstr("of cluster \"c2\""));
}

TEST_F(Access, no_agent_is_no_agent) {
  EXPECT_THAT(answer(policy({"unix; cluster=c1"}).access_of_socket(), "c9:443"),
              HasSubstr("No agent available"));
}

TEST_F(Access, any_does_not_mean_agents_but_their_uri_does) {
  const auto agent = server.agent("a", "host=c1", {"c1"});
  const Shown shown({"urn:open-cluster-management:cluster:c1"}, "");
  EXPECT_THAT(answer(policy({"any"}).access_of(shown), "c1:443"), HasSubstr("is that of an agent"));
}

}  // namespace
}  // namespace tunnel
