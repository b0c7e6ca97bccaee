#include "app/status_page.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace app {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

class StatusPage : public ::testing::Test {
 protected:
  StatusPage() {
    config_.server_id = "s1";
    config_.version = "1.2.3";
    clock_.advance(1h);
  }

  json::object page() {
    return json::parse(status_page({config_, clock_.now() - 60s}, status_, clock_)).as_object();
  }
  json::object cluster(std::string_view name) {
    for (const auto& each : page().at("clusters").as_array())
      if (std::string_view(each.at("name").as_string()) == name) return each.as_object();
    ADD_FAILURE() << "no cluster " << name;
    return {};
  }
  tunnel::LinkStatus link(std::string cluster, std::string agent) {
    return {.cluster = std::move(cluster),
            .certified = true,
            .agent_id = std::move(agent),
            .identifiers = {"host=c1"},
            .kind = "native",
            .peer = "10.0.0.9:1",
            .since = clock_.now() - 90s,
            .round_trip = 2ms,
            .connections = 3,
            .bytes_to_agent = 10,
            .bytes_from_agent = 20,
            .dials = 5,
            .failed_dials = 1};
  }

  async::Loop loop_;
  async::ManualClock clock_{loop_.get_executor()};
  TunnelServerConfig config_;
  tunnel::ServerStatus status_;
};

TEST_F(StatusPage, has_a_version_and_the_server) {
  EXPECT_EQ(page().at("version"), 1);
  EXPECT_EQ(page().at("server").at("id"), "s1");
  EXPECT_EQ(page().at("server").at("version"), "1.2.3");
  EXPECT_EQ(page().at("server").at("uptimeSeconds"), 60.0);
  EXPECT_TRUE(page().at("clusters").as_array().empty());
}

TEST_F(StatusPage, sums_up_the_links_of_a_cluster) {
  status_.links = {link("c1", "a"), link("c1", "b"), link("c2", "x")};
  status_.links[0].last_error = {"older", clock_.now() - 9s};
  status_.links[1].last_error = {"newer", clock_.now() - 5s};
  const auto c1 = cluster("c1");
  EXPECT_EQ(c1.at("state"), "connected");
  EXPECT_EQ(c1.at("agents"), 2);
  EXPECT_EQ(c1.at("openConnections"), 6);
  EXPECT_EQ(c1.at("bytesFromAgents"), 40);
  EXPECT_EQ(c1.at("failedDials"), 2);
  EXPECT_EQ(c1.at("lastError").at("text"), "newer");
  const auto first = c1.at("links").at(0);
  EXPECT_EQ(first.at("ageSeconds"), 90.0);
  EXPECT_EQ(first.at("roundTripSeconds"), 0.002);
  EXPECT_EQ(c1.at("identifiers").as_array().size(), 1U);
}

TEST_F(StatusPage, tells_the_state_of_the_fittest_link) {
  status_.links = {link("c1", "a"), link("c1", "b")};
  status_.links[0].draining = true;
  EXPECT_EQ(cluster("c1").at("state"), "connected");
  status_.links[1].silent = true;
  EXPECT_EQ(cluster("c1").at("state"), "draining");
  status_.links[0].silent = true;
  EXPECT_EQ(cluster("c1").at("state"), "silent");
}

TEST_F(StatusPage, tells_when_a_cluster_that_is_gone_was_last_seen) {
  status_.departures = {{"c1", "a", "10.0.0.9:1", clock_.now() - 300s, "reset"},
                        {"c1", "b", "10.0.0.9:2", clock_.now() - 200s, ""}};
  const auto c1 = cluster("c1");
  EXPECT_EQ(c1.at("state"), "gone");
  EXPECT_EQ(c1.at("lastAgent"), "b");
  EXPECT_EQ(c1.at("lastSeenSecondsAgo"), 200.0);
  EXPECT_EQ(c1.at("lastSeenFrom"), "10.0.0.9:2");
  EXPECT_TRUE(c1.at("lastError").is_null());
  EXPECT_TRUE(c1.at("links").as_array().empty());
}

TEST_F(StatusPage, a_cluster_that_is_back_is_not_gone) {
  status_.links = {link("c1", "a")};
  status_.departures = {{"c1", "a", "10.0.0.9:1", clock_.now() - 300s, "reset"}};
  const auto c1 = cluster("c1");
  EXPECT_EQ(c1.at("state"), "connected");
  EXPECT_EQ(c1.at("lastError").at("text"), "reset");
  EXPECT_FALSE(c1.contains("lastSeenFrom"));
}

TEST_F(StatusPage, lists_connections) {
  status_.connections = {{.id = "ab",
                          .client = "CN=alice",
                          .target = "c1:443",
                          .cluster = "c1",
                          .agent_id = "a",
                          .since = clock_.now() - 1s,
                          .bytes_to_agent = 7}};
  status_.connections_total = 12;
  EXPECT_EQ(page().at("connectionsTotal"), 12);
  const auto only = page().at("connections").at(0);
  EXPECT_EQ(only.at("state"), "established");
  EXPECT_EQ(only.at("client"), "CN=alice");
  EXPECT_EQ(only.at("bytesToAgent"), 7);
}

TEST(Busiest, are_those_with_most_bytes) {
  std::vector<tunnel::ConnectionStatus> all(3);
  all[0].bytes_to_agent = 1;
  all[1].bytes_from_agent = 5;
  all[2].bytes_to_agent = 3;
  tunnel::keep_busiest(all, 2);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].bytes_from_agent, 5U);
  EXPECT_EQ(all[1].bytes_to_agent, 3U);
  tunnel::keep_busiest(all, 10);
  EXPECT_EQ(all.size(), 2U);
}

}  // namespace
}  // namespace app
