#include "cli/status_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/human.h"

namespace cli {
namespace {

namespace json = boost::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kPage = R"({
  "version": 1, "server": {"uptimeSeconds": 100.0}, "connectionsTotal": 3,
  "clusters": [
    {"name": "c1", "state": "connected", "agents": 1, "identifiers": ["host=c1"],
     "openConnections": 2, "bytesToAgents": 2048, "bytesFromAgents": 5242880, "lastError": null,
     "links": [{"agent": "a1", "kind": "native", "from": "10.0.0.9:1", "ageSeconds": 3700.0,
                "roundTripSeconds": 0.0021, "openConnections": 2, "dials": 9, "failedDials": 1,
                "bytesToAgent": 2048, "bytesFromAgent": 5242880, "draining": false, "silent": false,
                "lastError": {"text": "dial x:1: refused", "at": "2026-11-26T00:00:00Z"}}]},
    {"name": "c2", "state": "gone", "agents": 0, "identifiers": [], "openConnections": 0,
     "bytesToAgents": 0, "bytesFromAgents": 0, "lastSeenSecondsAgo": 300.0,
     "lastSeenFrom": "10.0.0.8:5", "lastAgent": "a2", "lastError": {"text": "reset"}, "links": []}],
  "connections": [
    {"id": "ab", "client": "CN=alice", "target": "c1:443", "cluster": "c1", "state": "established",
     "ageSeconds": 5.0, "bytesToAgent": 100, "bytesFromAgent": 1000},
    {"id": "cd", "client": "CN=bob", "target": "c1:80", "cluster": "c1", "state": "dialing",
     "ageSeconds": 1.0, "bytesToAgent": 0, "bytesFromAgent": 0}]})";

json::object page(std::string_view text = kPage) {
  auto parsed = parse_status(text);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? *std::move(parsed) : json::object();
}

TEST(StatusTables, show_a_line_a_cluster) {
  const std::string table = cluster_table(page());
  EXPECT_THAT(table, StartsWith("CLUSTER   STATE       AGENTS   LINKS"));
  EXPECT_THAT(table, HasSubstr("c1        connected   1        1       2             2.0KiB   "
                               "5.0MiB     2.1ms   1h1m   now\n"));
  EXPECT_THAT(table, HasSubstr("5m ago\n"));
}

TEST(StatusTables, show_a_line_a_link_when_wide) {
  EXPECT_THAT(link_table(page()),
              AllOf(HasSubstr("a1      native"), HasSubstr("host=c1"),
                    HasSubstr("dial x:1: refused"), HasSubstr("gone 5m"), HasSubstr("10.0.0.8:5")));
}

TEST(StatusTables, say_so_when_there_is_nothing) {
  EXPECT_THAT(cluster_table(page(R"({"version":1,"clusters":[]})")), HasSubstr("No agent was"));
  EXPECT_THAT(connection_table(page(R"({"version":1})"), nullptr),
              StartsWith("0 of 0 connections"));
}

TEST(StatusTables, put_the_busiest_connections_first_with_their_rates) {
  auto now = page();
  now["server"].as_object()["uptimeSeconds"] = 102.0;
  now["connections"].as_array()[1].as_object()["bytesFromAgent"] = 4096;
  const json::object before = page();
  const std::string table = connection_table(now, &before);
  EXPECT_THAT(table, StartsWith("2 of 3 connections\nCONNECTION"));
  EXPECT_THAT(table, HasSubstr("2.0KiB/s"));
  EXPECT_LT(table.find("c1:80"), table.find("c1:443"));
  EXPECT_THAT(connection_table(now, nullptr), Not(HasSubstr("/s")));
}

TEST(StatusTables, leave_the_clusters_that_are_asked_for) {
  auto all = page();
  EXPECT_TRUE(keep_clusters(all, {"c2"}));
  EXPECT_THAT(cluster_table(all), Not(HasSubstr("c1")));
  EXPECT_THAT(connection_table(all, nullptr), StartsWith("0 of"));
  EXPECT_THAT(absences(all),
              ElementsAre(HasSubstr("cluster \"c2\" is not connected: its agent \"a2\" was last "
                                    "seen 5m ago, from 10.0.0.8:5 (reset)")));
  auto again = page();
  const auto unknown = keep_clusters(again, {"c9"});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("known are: c1, c2"));
}

TEST(StatusTables, refuse_what_is_no_status) {
  for (const char* text : {"", "no", "[]", "{}", R"({"version":"1"})"})
    EXPECT_FALSE(parse_status(text)) << text;
  EXPECT_THAT(parse_status(R"({"version":2})").error().message, HasSubstr("of version 2"));
}

TEST(StatusTables, are_safe_with_names_that_peers_chose) {
  const std::string table =
      cluster_table(page("{\"version\":1,\"clusters\":[{\"name\":\"a\\u001b[2J\"}]}"));
  EXPECT_THAT(table, AllOf(HasSubstr("a?[2J"), Not(HasSubstr("\033"))));
}

TEST(StatusTables, are_yaml_too) {
  const std::string text = to_yaml(page());
  EXPECT_THAT(text, HasSubstr("version: 1\n"));
  EXPECT_THAT(text, HasSubstr("state: gone"));
  EXPECT_THAT(text, HasSubstr("draining: false"));
}

TEST(StatusTables, have_no_exponents_in_yaml) {
  const std::string text = to_yaml(json::parse(R"({"a":3.7861524573E1,"b":1.94462E-4,"c":2.0})"));
  EXPECT_EQ(text, "a: 37.861524573\nb: 0.000194462\nc: 2.0\n");
}

TEST(Human, bytes_and_durations) {
  EXPECT_EQ(human_bytes(0), "0B");
  EXPECT_EQ(human_bytes(999), "999B");
  EXPECT_EQ(human_bytes(1200), "1.2KiB");
  EXPECT_EQ(human_bytes(340.0 * 1024 * 1024), "340MiB");
  EXPECT_EQ(human_duration(0.0021, true), "2.1ms");
  EXPECT_EQ(human_duration(59.9), "59s");
  EXPECT_EQ(human_duration(60), "1m");
  EXPECT_EQ(human_duration(330), "5m30s");
  EXPECT_EQ(human_duration(90061), "1d1h");
}

}  // namespace
}  // namespace cli
