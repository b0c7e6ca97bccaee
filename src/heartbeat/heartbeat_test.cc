#include "heartbeat/heartbeat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/routes.h"
#include "http/server.h"
#include "kube/testing/fixture.h"
#include "net/listener.h"

namespace heartbeat {
namespace {

namespace json = kube::json;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr const char* kHere = "/apis/coordination.k8s.io/v1/namespaces/agents/leases";
constexpr const char* kHub = "/apis/coordination.k8s.io/v1/namespaces/cluster1/leases";

class HeartbeatTest : public kube::testing::FakeApiTest {
 protected:
  HeartbeatTest() {
    // Both servers are the one fake; the namespaces tell them apart.
    heartbeat_.emplace(
        clock_, *client_, *client_, [this] { return probe(*this); },
        Heartbeat::Options{.in_namespace = "agents", .hub_namespace = "cluster1"});
  }
  static async::Task<void> probe(HeartbeatTest& test) {
    ++test.probes_;
    co_return test.well_;
  }
  const json::object* lease(const char* collection) const {
    return server_.find(std::string(collection) + "/cluster-proxy");
  }
  std::string spec(const char* collection, const char* member) const {
    return std::string(kube::text_at(kube::object_at(*lease(collection), "spec"), member));
  }
  void no_place_here(int answers) {
    for (int i = 0; i < answers; ++i) server_.answer_next({.status = 404, .reason = "NotFound"});
  }

  base::Result<void> well_;
  int probes_ = 0;
  std::optional<Heartbeat> heartbeat_;
};

TEST_F(HeartbeatTest, creates_the_lease_as_the_reference_does) {
  ASSERT_TRUE(finish(heartbeat_->renew()));
  ASSERT_NE(lease(kHere), nullptr);
  EXPECT_THAT(spec(kHere, "renewTime"),
              MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+[.][0-9]{6}Z"));
  const auto& written = kube::object_at(*lease(kHere), "spec");
  EXPECT_EQ(kube::integer_at(written, "leaseDurationSeconds"), 60);
  EXPECT_FALSE(written.contains("holderIdentity"));
  EXPECT_EQ(lease(kHub), nullptr);
}

TEST_F(HeartbeatTest, renews_what_is_there_and_keeps_the_rest_of_it) {
  server_.put(kHere, {{"metadata", {{"name", "cluster-proxy"}, {"labels", {{"a", "b"}}}}},
                      {"spec", {{"renewTime", "2001-01-01T00:00:00.000000Z"}}}});
  ASSERT_TRUE(finish(heartbeat_->renew()));
  EXPECT_NE(spec(kHere, "renewTime"), "2001-01-01T00:00:00.000000Z");
  EXPECT_TRUE(kube::object_at(*lease(kHere), "metadata").contains("labels"));
}

TEST_F(HeartbeatTest, the_lease_goes_with_its_owner) {
  const json::object owner{{"kind", "ServiceAccount"}, {"uid", "u"}};
  Heartbeat owned(clock_, *client_, *client_, [this] { return probe(*this); },
                  {.in_namespace = "agents", .hub_namespace = "cluster1", .owner = [&] {
                     return json::object(owner);
                   }});
  server_.put(kHere, {{"metadata", {{"name", "cluster-proxy"}}}, {"spec", json::object()}});
  ASSERT_TRUE(finish(owned.renew()));
  const auto& owners =
      kube::array_at(kube::object_at(*lease(kHere), "metadata"), "ownerReferences");
  ASSERT_EQ(owners.size(), 1U);
  EXPECT_EQ(owners[0], json::value(owner));
  no_place_here(2);
  ASSERT_TRUE(finish(owned.renew()));
  EXPECT_FALSE(kube::object_at(*lease(kHub), "metadata").contains("ownerReferences"));
}

TEST_F(HeartbeatTest, goes_to_the_hub_when_there_is_no_place_here) {
  no_place_here(2);
  ASSERT_TRUE(finish(heartbeat_->renew()));
  EXPECT_EQ(lease(kHere), nullptr);
  ASSERT_NE(lease(kHub), nullptr);
}

TEST_F(HeartbeatTest, says_that_neither_place_works) {
  no_place_here(2);
  server_.answer_next({.status = 403, .reason = "Forbidden"});
  const auto renewed = finish(heartbeat_->renew());
  ASSERT_FALSE(renewed);
  EXPECT_THAT(renewed.error().message,
              AllOf(HasSubstr("neither in this cluster"), HasSubstr("nor on the hub")));
}

TEST_F(HeartbeatTest, does_not_go_to_the_hub_for_other_trouble) {
  server_.answer_next({.status = 403, .reason = "Forbidden"});
  EXPECT_FALSE(finish(heartbeat_->renew()));
  EXPECT_EQ(lease(kHub), nullptr);
}

TEST_F(HeartbeatTest, lets_another_replica_be_faster) {
  server_.put(kHere, {{"metadata", {{"name", "cluster-proxy"}}}, {"spec", json::object()}});
  no_place_here(1);
  EXPECT_TRUE(finish(heartbeat_->renew()));
  EXPECT_EQ(lease(kHub), nullptr);
}

TEST_F(HeartbeatTest, renews_at_once_and_then_about_every_minute) {
  tasks_.spawn("heartbeat", heartbeat_->run());
  ASSERT_TRUE(eventually([&] { return heartbeat_->renewed().has_value(); }));
  const auto first = *heartbeat_->renewed();
  ASSERT_TRUE(eventually([&] { return *heartbeat_->renewed() != first; }));
  const auto pause = *heartbeat_->renewed() - first;
  EXPECT_GE(pause, std::chrono::seconds(60));
  EXPECT_LE(pause, std::chrono::seconds(80));
}

TEST_F(HeartbeatTest, waits_until_all_is_well) {
  well_ = base::fail(base::Code::unavailable, "not ready");
  tasks_.spawn("heartbeat", heartbeat_->run());
  ASSERT_TRUE(eventually([&] { return probes_ >= 3; }));
  EXPECT_TRUE(server_.requests().empty());
  well_ = {};
  EXPECT_TRUE(eventually([&] { return lease(kHere) != nullptr; }));
}

TEST_F(HeartbeatTest, tries_again_soon_after_trouble) {
  server_.answer_next({.status = 500, .reason = "InternalError"});
  tasks_.spawn("heartbeat", heartbeat_->run());
  const auto began = clock_.now();
  ASSERT_TRUE(eventually([&] { return lease(kHere) != nullptr; }));
  EXPECT_LT(clock_.now() - began, std::chrono::seconds(30));
}

class HttpProbeTest : public ::testing::Test {
 protected:
  std::string ask(unsigned status) {
    http::Routes routes;
    routes.get("/readyz", [status](const http::ServerRequest&) {
      return http::ServerResponse{.status = status, .body = "x"};
    });
    http::Server server(loop_, clock_, *net::listen_tcp(loop_, clock_, "127.0.0.1", 0),
                        std::move(routes));
    server.start();
    const auto probe = http_probe(clock_, fmt::format("http://127.0.0.1:{}/readyz", server.port()));
    const auto answer = async::testing::run(loop_, probe());
    EXPECT_TRUE(async::testing::run(loop_, server.stop(async::Duration{0})));
    return answer ? "ready" : answer.error().message;
  }

  async::Loop loop_{1};
  async::SystemClock clock_;
};

TEST_F(HttpProbeTest, takes_200_only_for_ready) {
  EXPECT_EQ(ask(200), "ready");
  EXPECT_THAT(ask(204), HasSubstr("answers 204"));
  EXPECT_THAT(ask(500), HasSubstr("/readyz answers 500"));
}

TEST_F(HttpProbeTest, names_an_address_where_nobody_listens) {
  const auto listener = *net::listen_tcp(loop_, clock_, "127.0.0.1", 0);
  const auto port = listener->port();
  listener->close();
  const auto probe = http_probe(clock_, fmt::format("http://127.0.0.1:{}/readyz", port));
  const auto answer = async::testing::run(loop_, probe());
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("connection refused"));
}

}  // namespace
}  // namespace heartbeat
