#include <ranges>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/agent/target.h"
#include "tunnel/native.h"
#include "tunnel/testing/native_pair.h"
#include "tunnel/testing/silent_target.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::NativeWorld;
using testing::SilentTarget;
using testing::TestClient;

// The connections of one link.
class NativeLinkTest : public testing::NativePair {};

TEST_F(NativeLinkTest, tells_the_agent_who_the_server_is) {
  const NativeWorld::Link& link = connect();
  EXPECT_EQ(link.agent.welcome->server_id, "server-1");
  EXPECT_EQ(link.agent.welcome->server_count, 3);
}

TEST_F(NativeLinkTest, carries_bytes_both_ways) {
  connect();
  const Connection it = establish();
  it.client->say("question");
  it.target->say("answer");
  EXPECT_TRUE(world.until(
      [&] { return it.target->heard() == "question" && it.client->heard == "answer"; }));
}

TEST_F(NativeLinkTest, carries_what_the_client_says_before_the_answer) {
  connect();
  const auto early = client();
  ASSERT_TRUE(early->dial(world.listen()));
  early->say("before");
  early->leg->finish();
  ASSERT_TRUE(world.accepted(1));
  EXPECT_TRUE(world.until([&] { return world.targets[0]->ended(); }));
  EXPECT_EQ(world.targets[0]->heard(), "before");
  world.targets[0]->finish();
  EXPECT_TRUE(world.until([&] { return early->closed; }));
  EXPECT_FALSE(early->truncated);
}

TEST_F(NativeLinkTest, says_why_a_dial_was_refused) {
  connect();
  const std::string address = world.listen();
  world.listeners[0]->close();
  const auto refused = client();
  ASSERT_TRUE(refused->dial(address));
  ASSERT_TRUE(world.until([&] { return refused->failure.has_value(); }));
  EXPECT_EQ(refused->failure, DialFailure::error_response);
  EXPECT_EQ(refused->error, "dial tcp " + address + ": connect: connection refused");
}

TEST_F(NativeLinkTest, dials_only_where_the_agent_may_go) {
  const DestinationRules rules({}, {DestinationPattern::parse("127.0.0.0/8").value(),
                                    DestinationPattern::parse("[::1]").value()});
  world.agent.destinations = &rules;
  connect();
  const std::string address = world.listen();
  const auto by_address = client(), by_name = client();
  ASSERT_TRUE(by_address->dial(address));
  ASSERT_TRUE(by_name->dial("localhost" + address.substr(address.rfind(':'))));
  ASSERT_TRUE(world.until([&] { return by_address->failure && by_name->failure; }));
  EXPECT_THAT(by_address->error, HasSubstr(address + " is not allowed: the agent has "));
  EXPECT_THAT(by_name->error, HasSubstr("is not allowed: its address"));
  EXPECT_THAT(world.agent_registry.expose(), HasSubstr("destinations_refused_total 2"));
  EXPECT_EQ(world.targets.size(), 0U);
}

TEST_F(NativeLinkTest, tells_an_agent_that_it_is_not_of_its_cluster) {
  const IdentityPolicy policy(IdentityMode::enforce);
  world.server.admission.identity = &policy;
  world.agent_clusters = {"c2"};
  NativeWorld::Link& link = world.connect({"agent-1", "host=c1", "", 0});
  ASSERT_TRUE(world.until([&] { return link.agent.ended.has_value(); }));
  EXPECT_THAT(link.agent.ended->message,
              HasSubstr("the server refuses this agent: identifier \"c1\" does not belong to "
                        "cluster \"c2\""));
  EXPECT_EQ(world.server.context.router.size(), 0U);
}

TEST_F(NativeLinkTest, says_why_dials_that_make_no_sense_fail) {
  connect();
  const auto no_port = client(), no_network = client();
  ASSERT_TRUE(no_port->dial("10.0.0.1"));
  ASSERT_TRUE(no_network->dial("10.0.0.1:80", "udp"));
  ASSERT_TRUE(world.until([&] { return no_port->failure && no_network->failure; }));
  EXPECT_EQ(no_port->error, "dial tcp: address 10.0.0.1: missing port in address");
  EXPECT_EQ(no_network->error, "dial udp: unknown network udp");
}

TEST_F(NativeLinkTest, ends_a_dial_whose_client_goes_away) {
  connect();
  const SilentTarget silent;
  const std::size_t idle = world.server.clock.sleepers();
  const auto impatient = client();
  ASSERT_TRUE(impatient->dial(silent.address()));
  // The dial, and the server's doubt whether its agent lives.
  ASSERT_TRUE(world.until([&] { return world.server.clock.sleepers() == idle + 2; }));
  impatient->leave();
  world.advance(1s);
  EXPECT_TRUE(world.until([&] { return world.server.clock.sleepers() == idle; }));
  const Connection next = establish();
  EXPECT_TRUE(next.client->dialed);
}

TEST_F(NativeLinkTest, says_when_a_target_does_not_answer) {
  connect();
  const SilentTarget silent;
  const std::size_t idle = world.server.clock.sleepers();
  const auto patient = client();
  ASSERT_TRUE(patient->dial(silent.address()));
  ASSERT_TRUE(world.until([&] { return world.server.clock.sleepers() > idle; }));
  world.advance(kTargetDialLimit);
  ASSERT_TRUE(world.until([&] { return patient->failure.has_value(); }));
  EXPECT_EQ(patient->error, "dial tcp " + silent.address() + ": i/o timeout");
}

TEST_F(NativeLinkTest, keeps_many_connections_apart) {
  connect();
  const std::string address = world.listen();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(client());
    ASSERT_TRUE(clients.back()->dial(address));
    clients.back()->say(fmt::format("{}.", i));
  }
  ASSERT_TRUE(world.accepted(clients.size()));
  const auto told = [](const auto& target) { return target->heard().ends_with('.'); };
  ASSERT_TRUE(world.until([&] { return std::ranges::all_of(world.targets, told); }));
  for (const auto& target : world.targets) target->say(target->heard());
  const auto heard = [&](std::size_t i) { return clients[i]->heard == fmt::format("{}.", i); };
  EXPECT_TRUE(world.until([&] {
    return std::ranges::all_of(std::views::iota(std::size_t{0}, clients.size()), heard);
  }));
}

TEST_F(NativeLinkTest, passes_the_clients_end_on_and_lets_the_target_finish) {
  connect();
  const Connection it = establish();
  it.client->say("all");
  it.client->leg->finish();
  ASSERT_TRUE(world.until([&] { return it.target->ended(); }));
  EXPECT_EQ(it.target->heard(), "all");
  it.target->say("answer");
  it.target->finish();
  ASSERT_TRUE(world.until([&] { return it.client->closed; }));
  EXPECT_EQ(it.client->heard, "answer");
  EXPECT_TRUE(it.client->target_done);
  EXPECT_FALSE(it.client->truncated);
  EXPECT_TRUE(all_gone_at_agent());
}

TEST_F(NativeLinkTest, passes_the_targets_end_on_and_lets_the_client_finish) {
  connect();
  const Connection it = establish();
  it.target->say("greeting");
  it.target->finish();
  ASSERT_TRUE(world.until([&] { return it.client->target_done; }));
  EXPECT_EQ(it.client->heard, "greeting");
  EXPECT_FALSE(it.client->closed);
  it.client->say("late words");
  it.client->leg->finish();
  ASSERT_TRUE(world.until([&] { return it.target->ended(); }));
  EXPECT_EQ(it.target->heard(), "late words");
  EXPECT_TRUE(world.until([&] { return it.client->closed; }));
  EXPECT_FALSE(it.client->truncated);
  EXPECT_TRUE(all_gone_at_agent());
}

TEST_F(NativeLinkTest, tells_a_target_that_broke_from_one_that_ended) {
  connect();
  const Connection it = establish();
  it.target->say("half a sent");
  ASSERT_TRUE(world.until([&] { return !it.client->heard.empty(); }));
  it.target->reset();
  ASSERT_TRUE(world.until([&] { return it.client->closed; }));
  EXPECT_TRUE(it.client->truncated);
  EXPECT_EQ(it.client->error, "the connection to the target was reset");
  EXPECT_TRUE(all_gone_at_agent());
}

TEST_F(NativeLinkTest, resets_the_target_of_a_client_that_goes_away) {
  connect();
  const Connection it = establish();
  it.client->say("half a sent");
  ASSERT_TRUE(world.until([&] { return !it.target->heard().empty(); }));
  it.client->leave();
  EXPECT_TRUE(world.until([&] { return it.target->broken(); }));
  EXPECT_TRUE(all_gone_at_agent());
  EXPECT_THAT(world.agent_registry.expose(),
              HasSubstr("connections_closed_total{reason=\"client\"} 1"));
}

TEST_F(NativeLinkTest, gives_a_target_a_moment_to_end_after_a_client_that_closed) {
  connect();
  const Connection it = establish();
  it.client->say("bye");
  it.client->leg->close();
  EXPECT_TRUE(it.client->closed);
  ASSERT_TRUE(world.until([&] { return it.target->ended(); }));
  it.target->say("of no interest");
  world.idle_for(5ms);
  EXPECT_EQ(open_at_agent(), 1);
  it.target->finish();
  EXPECT_TRUE(all_gone_at_agent());
  EXPECT_FALSE(it.target->broken());
}

TEST_F(NativeLinkTest, resets_a_target_that_goes_on_long_after_its_client) {
  connect();
  const Connection it = establish();
  it.client->leg->close();
  ASSERT_TRUE(world.until([&] { return it.target->ended(); }));
  world.advance(4s);
  EXPECT_EQ(open_at_agent(), 1);
  world.advance(1s);
  EXPECT_TRUE(all_gone_at_agent());
}

TEST_F(NativeLinkTest, breaks_connections_and_dials_when_the_link_is_lost) {
  NativeWorld::Link& link = connect();
  const Connection it = establish();
  const SilentTarget silent;
  const auto dialing = client();
  ASSERT_TRUE(dialing->dial(silent.address()));
  world.settle();
  link.cable.cut();
  ASSERT_TRUE(world.until([&] { return it.client->closed && dialing->failure.has_value(); }));
  EXPECT_TRUE(it.client->truncated);
  EXPECT_EQ(it.client->error, "agent connection lost");
  EXPECT_EQ(dialing->failure, DialFailure::backend_close);
  EXPECT_EQ(dialing->error, "agent connection lost while dialing");
  EXPECT_TRUE(world.until([&] { return it.target->broken(); }));
  ASSERT_TRUE(world.until([&] { return link.agent.ended && link.server.ended; }));
  EXPECT_THAT(link.agent.ended->message, HasSubstr("connection reset by peer"));
  EXPECT_THAT(world.server.metrics(),
              HasSubstr("connections_closed_total{reason=\"agent_lost\"} 1"));
  EXPECT_THAT(world.agent_registry.expose(),
              HasSubstr("connections_closed_total{reason=\"server_lost\"} 1"));
  EXPECT_FALSE(client()->dial("anywhere:1"));
}

TEST_F(NativeLinkTest, ends_when_the_link_is_lost_before_the_introduction) {
  NativeWorld::Link& link = world.connect();
  link.cable.cut();
  ASSERT_TRUE(world.until([&] { return link.agent.ended && link.server.ended; }));
  EXPECT_FALSE(link.agent.welcome);
}

TEST_F(NativeLinkTest, ends_when_the_server_stops_before_the_introduction) {
  NativeWorld::Link& link = world.connect_server_only();
  world.settle();
  world.tasks.cancel();
  EXPECT_TRUE(world.until([&] { return world.tasks.empty(); }));
  ASSERT_TRUE(link.server.ended);
  EXPECT_TRUE(link.server.ended->is(base::Code::cancelled)) << link.server.ended->message;
}

}  // namespace
}  // namespace tunnel
