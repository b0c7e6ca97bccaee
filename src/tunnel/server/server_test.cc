#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/server/testing/harness.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Harness;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Peer;

using Lines = std::vector<std::string>;

std::string data(std::int64_t id, std::string_view text) {
  base::Buffer buffer(text.size());
  buffer.append(base::as_bytes(text));
  frame_data(buffer, id);
  return std::string(base::as_text(buffer.bytes().subspan(grpc::kPrefixBytes)));
}

class ServerTest : public ::testing::Test {
 protected:
  void dial(Peer& client, std::int64_t random, const std::string& address = "nginx:80") {
    client.send(encode_dial_request("tcp", address, random));
  }
  // A dial that the agent answers with `id`; both sides have read what there was.
  void establish(Peer& client, Peer& agent, std::int64_t random, std::int64_t id) {
    dial(client, random);
    agent.exchange();
    (void)agent.received();
    agent.send(encode_dial_response(agent.last_random(), id, ""));
    EXPECT_THAT(client.received(),
                ElementsAre(fmt::format("DIAL_RSP random={} id={}", random, id)));
    client.send(data(id, "first"));
    (void)agent.received();
  }

  Harness server;
};

TEST_F(ServerTest, greets_agents_with_its_id_and_count) {
  const auto agent = server.agent("a");
  EXPECT_EQ(*http::find(agent->metadata(), "serverid"), "server-1");
  EXPECT_EQ(*http::find(agent->metadata(), "servercount"), "3");
}

TEST_F(ServerTest, refuses_agents_without_one_id) {
  server.admission.server_id = "s";
  AgentConnection handler(server.context, server.admission, server.tasks, AgentPeer{"x"});
  const Peer none(handler, "/AgentService/Connect", {});
  EXPECT_EQ(none.status()->code, grpc::StatusCode::unknown);
  const Peer two(handler, "/AgentService/Connect", {{"agentid", "a"}, {"agentid", "b"}});
  EXPECT_EQ(two.status()->code, grpc::StatusCode::unknown);
  const Peer bad(handler, "/AgentService/Connect",
                 {{"agentid", "a"}, {"agentidentifiers", "host=a;b"}});
  EXPECT_EQ(bad.status()->code, grpc::StatusCode::unknown);
}

TEST_F(ServerTest, answers_unknown_methods) {
  ClientConnection handler(server.context, Client{"x"});
  const Peer peer(handler, "/grpc.health.v1.Health/Check", {});
  EXPECT_EQ(peer.status()->code, grpc::StatusCode::unimplemented);
}

TEST_F(ServerTest, says_when_no_agent_is_there_and_goes_deaf) {
  const auto client = server.client();
  dial(*client, 7);
  EXPECT_THAT(client->received(), ElementsAre("DIAL_RSP random=7 error=No agent available"));
  dial(*client, 8);
  EXPECT_THAT(client->received(), IsEmpty());
  EXPECT_THAT(server.metrics(), HasSubstr("dial_failure_count{reason=\"no_agent\"} 1"));
}

TEST_F(ServerTest, gives_the_agent_a_random_of_its_own_and_restores_the_clients) {
  const auto agent = server.agent("a");
  const auto client = server.client();
  dial(*client, 7);
  agent->exchange();
  EXPECT_NE(agent->last_random(), 7);
  agent->send(encode_dial_response(agent->last_random(), 1, ""));
  EXPECT_THAT(client->received(), ElementsAre("DIAL_RSP random=7 id=1"));
}

TEST_F(ServerTest, carries_data_both_ways_and_closes) {
  const auto agent = server.agent("a");
  const auto client = server.client();
  establish(*client, *agent, 7, 1);
  client->send(data(1, "hello"));
  EXPECT_THAT(agent->received(), ElementsAre("DATA id=1 hello"));
  agent->send(data(1, "world"));
  EXPECT_THAT(client->received(), ElementsAre("DATA id=1 world"));
  client->send(encode_close_request(1));
  EXPECT_THAT(agent->received(), ElementsAre("CLOSE_REQ id=1"));
  agent->send(encode_close_response(1, ""));
  EXPECT_THAT(client->received(), ElementsAre("CLOSE_RSP id=1"));
}

TEST_F(ServerTest, passes_the_agents_error_to_the_client) {
  const auto agent = server.agent("a");
  const auto client = server.client();
  dial(*client, 7);
  agent->exchange();
  agent->send(encode_dial_response(agent->last_random(), 0, "connection refused"));
  EXPECT_THAT(client->received(), ElementsAre("DIAL_RSP random=7 error=connection refused"));
}

TEST_F(ServerTest, does_not_mix_up_streams_of_one_agent) {
  const auto old_stream = server.agent("a");
  const auto first = server.client();
  establish(*first, *old_stream, 1, 1);
  old_stream->send(encode_drain());
  const auto new_stream = server.agent("a");
  const auto second = server.client();
  establish(*second, *new_stream, 2, 1);
  old_stream->send(data(1, "for the first"));
  new_stream->send(data(1, "for the second"));
  EXPECT_THAT(first->received(), ElementsAre("DATA id=1 for the first"));
  EXPECT_THAT(second->received(), ElementsAre("DATA id=1 for the second"));
}

TEST_F(ServerTest, does_not_let_another_agent_answer_a_dial) {
  const auto agent = server.agent("a");
  const auto client = server.client();
  dial(*client, 7);
  agent->exchange();
  const auto thief = server.agent("b");
  thief->send(encode_dial_response(agent->last_random(), 9, ""));
  EXPECT_THAT(client->received(), IsEmpty());
  EXPECT_THAT(thief->received(), ElementsAre("CLOSE_REQ id=9"));
}

TEST_F(ServerTest, does_not_let_a_client_reach_connections_of_others) {
  const auto agent = server.agent("a");
  const auto victim = server.client();
  establish(*victim, *agent, 1, 1);
  const auto thief = server.client();
  establish(*thief, *agent, 2, 2);
  thief->send(encode_close_request(1));
  EXPECT_THAT(agent->received(), IsEmpty());
  const auto other = server.client();
  dial(*other, 3);
  (void)agent->received();
  other->send(data(1, "injected"));
  EXPECT_THAT(agent->received(), IsEmpty());
}

TEST_F(ServerTest, answers_a_pending_dial_when_its_agent_is_lost) {
  const auto agent = server.agent("a");
  const auto client = server.client();
  dial(*client, 7);
  agent->vanish();
  EXPECT_THAT(client->received(),
              ElementsAre("DIAL_RSP random=7 error=agent connection lost while dialing"));
}

TEST_F(ServerTest, closes_connections_when_their_agent_is_lost) {
  const auto agent = server.agent("a");
  const auto client = server.client();
  establish(*client, *agent, 7, 1);
  agent->vanish();
  EXPECT_THAT(client->received(), ElementsAre("CLOSE_RSP id=1"));
}

TEST_F(ServerTest, tells_the_agent_when_the_client_goes) {
  const auto agent = server.agent("a");
  const auto dialing = server.client(), connected = server.client();
  establish(*connected, *agent, 1, 1);
  dial(*dialing, 7);
  (void)agent->received();
  dialing->vanish();
  connected->vanish();
  EXPECT_THAT(
      agent->received(),
      ElementsAre(fmt::format("DIAL_CLS random={}", agent->last_random()), "CLOSE_REQ id=1"));
}

TEST_F(ServerTest, sends_what_a_client_wrote_before_it_left) {
  const auto agent = server.agent("a");
  const auto client = server.client();
  establish(*client, *agent, 1, 1);
  client->send(data(1, "last words"));
  client->half_close();
  EXPECT_THAT(agent->received(), ElementsAre("DATA id=1 last words", "CLOSE_REQ id=1"));
  EXPECT_TRUE(client->status()->ok());
}

TEST_F(ServerTest, closes_both_connections_of_a_client_that_mixes_ids) {
  const auto agent = server.agent("a");
  const auto client = server.client();
  establish(*client, *agent, 1, 1);
  client->send(data(2, "x"));
  EXPECT_THAT(client->received(), ElementsAre("CLOSE_RSP id=2 error=mismatched connection IDs",
                                              "CLOSE_RSP id=1 error=mismatched connection IDs"));
  EXPECT_THAT(agent->received(), ElementsAre("CLOSE_REQ id=2", "CLOSE_REQ id=1"));
}

TEST_F(ServerTest, does_not_close_a_connection_of_others_for_a_client_that_mixes_ids) {
  const auto agent = server.agent("a");
  const auto victim = server.client(), client = server.client();
  establish(*victim, *agent, 1, 1);
  establish(*client, *agent, 2, 2);
  client->send(data(1, "x"));
  EXPECT_THAT(agent->received(), ElementsAre("CLOSE_REQ id=2"));
}

TEST_F(ServerTest, answers_what_comes_before_a_dial) {
  const auto client = server.client();
  client->send(encode_close_request(5));
  EXPECT_THAT(client->received(), ElementsAre("CLOSE_RSP id=5 error=backend uninitialized"));
  client->send(data(5, "x"));
  EXPECT_THAT(client->received(), ElementsAre("CLOSE_RSP id=5 error=backend not initialized"));
}

TEST_F(ServerTest, survives_packets_without_payload_of_every_type) {
  const auto agent = server.agent("a");
  const auto client = server.client();
  establish(*client, *agent, 1, 1);
  for (char type = 0; type < 12; ++type) {
    const std::string bare = type == 0 ? std::string() : std::string({8, type});
    agent->send(bare);
    server.client()->send(bare);
  }
  agent->send("\xff\xff");
  client->send(data(1, "still here"));
  const auto lines = agent->received();
  EXPECT_EQ(lines.back(), "DATA id=1 still here");
}

TEST_F(ServerTest, holds_a_greeting_until_the_client_speaks_or_a_moment_has_passed) {
  const auto agent = server.agent("a");
  const auto client = server.client();
  dial(*client, 7);
  agent->exchange();
  agent->send(encode_dial_response(agent->last_random(), 1, ""));
  agent->send(data(1, "220 hello"));
  EXPECT_THAT(client->received(), ElementsAre("DIAL_RSP random=7 id=1"));
  server.advance(25ms);
  EXPECT_THAT(client->received(), ElementsAre("DATA id=1 220 hello"));
}

TEST_F(ServerTest, prefers_agents_that_do_not_drain) {
  const auto draining = server.agent("a"), fresh = server.agent("b");
  draining->send(encode_drain());
  for (int i = 1; i <= 20; ++i) {
    const auto client = server.client();
    dial(*client, i);
    EXPECT_THAT(draining->received(), IsEmpty());
    EXPECT_THAT(fresh->received(), ::testing::Contains(HasSubstr("DIAL_REQ")));
  }
}

TEST_F(ServerTest, falls_back_to_a_draining_agent) {
  const auto agent = server.agent("a");
  agent->send(encode_drain());
  const auto client = server.client();
  establish(*client, *agent, 7, 1);
}

TEST_F(ServerTest, ends_a_stalled_reader_and_lets_the_others_go_on) {
  const auto agent = server.agent("a");
  const auto stalled = server.client(), bystander = server.client();
  establish(*stalled, *agent, 1, 1);
  establish(*bystander, *agent, 2, 2);
  stalled->stop_reading();
  for (int i = 0; i < 40; ++i) agent->send(data(1, std::string(60'000, 'x')));
  EXPECT_THAT(server.metrics(), HasSubstr("full_receive_channels{service_method=\"Connect\"} 1"));
  agent->send(data(2, "passes"));
  for (int i = 0; i < 8; ++i) server.advance(200ms);
  agent->exchange();
  EXPECT_THAT(bystander->received(), ElementsAre("DATA id=2 passes"));
  stalled->exchange();
  EXPECT_TRUE(stalled->status().has_value());
  EXPECT_THAT(server.metrics(), HasSubstr("full_receive_channels{service_method=\"Connect\"} 0"));
  EXPECT_THAT(server.metrics(), HasSubstr("connections_closed_total{reason=\"overflow\"} 1"));
}

TEST_F(ServerTest, keeps_a_stalled_reader_that_is_alone) {
  const auto agent = server.agent("a");
  const auto stalled = server.client();
  establish(*stalled, *agent, 1, 1);
  stalled->stop_reading();
  for (int i = 0; i < 40; ++i) agent->send(data(1, std::string(60'000, 'x')));
  for (int i = 0; i < 50; ++i) server.advance(200ms);
  EXPECT_FALSE(stalled->status().has_value());
}

TEST(ServerRoutes, dials_by_host_among_the_agents_that_announce_it) {
  Harness server({Strategy::dest_host});
  const auto one = server.agent("one", "host=nginx&ipv4=10.0.0.1"),
             two = server.agent("two", "host=redis");
  const auto ask = [&](const std::string& address) {
    const auto client = server.client();
    client->send(encode_dial_request("tcp", address, 1));
    return client->received().size() + 10 * one->received().size() + 100 * two->received().size();
  };
  EXPECT_EQ(ask("nginx:80"), 10u);
  EXPECT_EQ(ask("10.0.0.1:80"), 20u);  // with the DIAL_CLS of the client before
  EXPECT_EQ(ask("redis:6379") / 100, 1u);
  EXPECT_EQ(ask("other:1") % 10, 1u);
}

TEST(ServerRoutes, cuts_the_host_as_konnectivity_does) {
  EXPECT_EQ(destination_host("nginx:80"), "nginx");
  EXPECT_EQ(destination_host("nginx"), "nginx");
  EXPECT_EQ(destination_host("[::1]:80"), "::1");
  EXPECT_EQ(destination_host("::1"), "::1");
}

TEST(ServerDeadline, answers_a_dial_that_takes_too_long) {
  Harness server({Strategy::any}, 2s);
  const auto agent = server.agent("a");
  const auto client = server.client();
  client->send(encode_dial_request("tcp", "x:1", 7));
  server.advance(1s);
  EXPECT_THAT(client->received(), IsEmpty());
  server.advance(1s);
  EXPECT_THAT(client->received(),
              ElementsAre("DIAL_RSP random=7 error=timed out waiting for backend dial"));
  agent->exchange();
  agent->send(encode_dial_response(agent->last_random(), 3, ""));
  EXPECT_EQ(agent->received().back(), "CLOSE_REQ id=3");
}

TEST(ServerSilence, prefers_the_newer_stream_of_an_agent_when_the_old_one_is_silent) {
  Harness server;
  const auto old_stream = server.agent("a");
  const auto new_stream =
      server.agent("a");  // makes the server ping the old one, which never answers
  server.advance(3s);
  const auto client = server.client();
  client->send(encode_dial_request("tcp", "x:1", 7));
  new_stream->exchange();
  EXPECT_NE(new_stream->last_random(), 0);
}

}  // namespace
}  // namespace tunnel
