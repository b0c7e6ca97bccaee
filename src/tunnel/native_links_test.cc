#include <vector>

#include <gtest/gtest.h>

#include "tunnel/native.h"
#include "tunnel/testing/native_pair.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;
using testing::NativeWorld;

// What becomes of whole links, and of their memory.
class NativeLinksTest : public testing::NativePair {};

TEST_F(NativeLinksTest, prefers_agents_that_do_not_drain) {
  const NativeWorld::Link& draining = connect("draining");
  connect("fresh");
  draining.agent.link->drain();
  world.settle();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(chosen()->agent_id(), "fresh");
}

TEST_F(NativeLinksTest, hears_when_the_server_is_about_to_go) {
  const NativeWorld::Link& link = connect();
  const Connection it = establish();
  world.server.context.router.tell_draining();
  EXPECT_TRUE(world.until([&] { return link.agent.going_away == 1; }));
  it.client->say("still here");
  EXPECT_TRUE(world.until([&] { return it.target->heard() == "still here"; }));
}

TEST_F(NativeLinksTest, asks_a_busy_agent_for_a_link_on_each_core) {
  world.server.context.loops = 3;
  const NativeWorld::Link& link = connect();
  std::vector<Connection> all;
  for (int i = 0; i < 8; ++i) all.push_back(establish());
  world.settle();
  EXPECT_EQ(link.agent.links_wanted.count, 0);
  all.push_back(establish());
  EXPECT_TRUE(world.until([&] { return link.agent.links_wanted.count == 3; }));
}

TEST_F(NativeLinksTest, asks_for_no_more_links_with_one_core) {
  const NativeWorld::Link& link = connect();
  std::vector<Connection> all;
  for (int i = 0; i < 10; ++i) all.push_back(establish());
  world.settle();
  EXPECT_EQ(link.agent.links_wanted.count, 0);
}

// The answer to a ping comes after `round_trip`.
void answer_a_ping_after(NativeWorld& world, NativeWorld::Link& link, async::Duration round_trip) {
  link.cable.freeze();
  world.advance(native::kPingInterval);
  world.settle();
  world.advance(round_trip);
  link.cable.thaw();
  world.settle();
}

// The round trip of before, when no time passed, is forgotten after some minutes.
void lengthen_path(NativeWorld& world, NativeWorld::Link& link, async::Duration round_trip) {
  for (int i = 0; i < 70; ++i) answer_a_ping_after(world, link, round_trip);
}

TEST_F(NativeLinksTest, asks_for_more_links_where_much_is_under_way_on_a_long_path) {
  NativeWorld::Link& link = connect();
  const Connection bulk = establish(), other = establish();
  lengthen_path(world, link, 100ms);
  EXPECT_EQ(link.agent.links_wanted.count, 0);
  link.server.backend->record().bytes_from_agent += 500'000'000;
  answer_a_ping_after(world, link, 100ms);
  EXPECT_EQ(link.agent.links_wanted.count, 4);
  EXPECT_TRUE(link.agent.links_wanted.far);
}

TEST_F(NativeLinksTest, asks_for_no_more_links_for_a_single_connection) {
  NativeWorld::Link& link = connect();
  const Connection bulk = establish();
  lengthen_path(world, link, 100ms);
  link.server.backend->record().bytes_from_agent += 500'000'000;
  answer_a_ping_after(world, link, 100ms);
  EXPECT_EQ(link.agent.links_wanted.count, 0);
}

TEST_F(NativeLinksTest, spreads_dials_over_the_links_of_one_agent) {
  const NativeWorld::Link& first = connect();
  const NativeWorld::Link& further = world.connect({"agent-1", "", "", 1});
  ASSERT_TRUE(world.until([&] { return further.agent.welcome.has_value(); }));
  EXPECT_EQ(chosen(), first.server.backend.get());
  const Connection one = establish();
  EXPECT_EQ(chosen(), further.server.backend.get());
  const Connection two = establish();
  EXPECT_EQ(chosen(), first.server.backend.get());
}

TEST_F(NativeLinksTest, leaves_a_newer_first_link_alone_as_the_agent_closes_it) {
  const NativeWorld::Link& older = connect();
  connect();
  const Connection it = establish();
  EXPECT_EQ(chosen(), older.server.backend.get());
}

TEST_F(NativeLinksTest, uses_an_agent_that_drains_when_there_is_no_other) {
  const NativeWorld::Link& link = connect();
  const Connection before = establish();
  link.agent.link->drain();
  world.settle();
  const Connection after = establish();
  before.client->say("still here");
  EXPECT_TRUE(world.until([&] { return before.target->heard() == "still here"; }));
}

TEST_F(NativeLinksTest, prefers_the_older_of_two_links_of_one_agent_while_it_answers) {
  NativeWorld::Link& older = connect();
  const NativeWorld::Link& newer = connect();
  older.cable.freeze();
  const auto unanswered = client();
  EXPECT_EQ(chosen(), older.server.backend.get());
  ASSERT_TRUE(unanswered->dial("127.0.0.1:1"));
  world.advance(3s);
  EXPECT_EQ(chosen(), newer.server.backend.get());
}

TEST_F(NativeLinksTest, takes_a_dial_in_the_very_moment_in_which_the_agent_is_admitted) {
  const auto target = world.listen();
  const auto first = client();
  world.connect();
  while (world.server.context.router.size() == 0) ASSERT_GT(world.server.loop.run_one(), 0u);
  ASSERT_TRUE(first->dial(target));
  ASSERT_TRUE(world.until([&] { return first->dialed || first->failure; }));
  EXPECT_TRUE(first->dialed) << first->error;
}

TEST_F(NativeLinksTest, does_not_take_an_idle_agent_for_a_silent_one) {
  const NativeWorld::Link& link = connect();
  const Connection it = establish();
  world.advance(4s);
  EXPECT_FALSE(link.server.backend->silent(world.server.clock.now()));
}

TEST_F(NativeLinksTest, gets_no_dials_after_three_silent_intervals) {
  NativeWorld::Link& link = connect();
  link.cable.freeze();
  pass_intervals(2);
  EXPECT_EQ(chosen(), link.server.backend.get());
  world.advance(native::kPingInterval - 1ms);
  EXPECT_EQ(link.agent.silences, 0);
  pass_intervals(2);
  EXPECT_EQ(chosen(), nullptr);
  EXPECT_EQ(link.agent.silences, 1);
  EXPECT_FALSE(link.server.ended || link.agent.ended);
}

TEST_F(NativeLinksTest, keeps_its_connections_when_the_line_heals_in_time) {
  NativeWorld::Link& link = connect();
  const Connection it = establish();
  link.cable.freeze();
  it.client->say("from the client");
  it.target->say("from the target");
  pass_intervals(5);
  ASSERT_EQ(chosen(), nullptr);
  link.cable.thaw();
  EXPECT_TRUE(world.until([&] { return it.target->heard() == "from the client"; }));
  EXPECT_TRUE(world.until([&] { return it.client->heard == "from the target"; }));
  EXPECT_EQ(chosen(), link.server.backend.get());
  EXPECT_EQ(link.agent.voices, 1);
  for (int i = 0; i < 10; ++i) {
    world.advance(native::kPingInterval);
    world.settle();
  }
  EXPECT_EQ(link.agent.silences, 1);
  EXPECT_FALSE(link.server.ended || link.agent.ended);
}

TEST_F(NativeLinksTest, is_given_up_by_both_ends_after_six_silent_intervals) {
  NativeWorld::Link& link = connect();
  const Connection it = establish();
  link.cable.freeze();
  pass_intervals(5);
  world.advance(native::kPingInterval - 1ms);
  EXPECT_FALSE(link.server.ended || link.agent.ended);
  pass_intervals(2);
  ASSERT_TRUE(world.until([&] { return link.server.ended && link.agent.ended; }));
  EXPECT_EQ(link.server.ended->message, "the peer has said nothing for 30s");
  EXPECT_EQ(link.agent.ended->message, "the peer has said nothing for 30s");
  EXPECT_TRUE(it.client->truncated);
  EXPECT_TRUE(world.until([&] { return it.target->broken(); }));
}

TEST_F(NativeLinksTest, stays_up_for_hours_while_pings_are_answered) {
  const NativeWorld::Link& link = connect();
  const Connection it = establish();
  for (int i = 0; i < 1000; ++i) {
    world.advance(native::kPingInterval);
    world.settle();
  }
  EXPECT_FALSE(link.server.ended || link.agent.ended);
  it.client->say("still here");
  EXPECT_TRUE(world.until([&] { return it.target->heard() == "still here"; }));
}

// Says whether a token is the right one.
class Doorman : public TokenAuthenticator {
 public:
  async::Task<void> authenticate(std::string token) override {
    if (token == "right") co_return base::Result<void>{};
    co_return base::fail(base::Code::unauthenticated, "unknown token");
  }
};

TEST_F(NativeLinksTest, lets_agents_in_by_their_token) {
  Doorman doorman;
  world.server.admission.authenticator = &doorman;
  NativeWorld::Link& right = world.connect({"right", "", "right"});
  NativeWorld::Link& wrong = world.connect({"wrong", "", "wrong"});
  NativeWorld::Link& none = world.connect({"none", "", ""});
  ASSERT_TRUE(
      world.until([&] { return right.agent.welcome && wrong.agent.ended && none.agent.ended; }));
  EXPECT_EQ(wrong.agent.ended->message, "the server refuses this agent: unknown token");
  EXPECT_TRUE(wrong.agent.ended->is(base::Code::unauthenticated));
  EXPECT_EQ(
      none.agent.ended->message,
      "the server refuses this agent: expected one authorization in the request headers, got 0");
  EXPECT_TRUE(world.until([&] { return wrong.server.ended && none.server.ended; }));
  EXPECT_EQ(world.server.context.router.size(), 1u);
}

TEST_F(NativeLinksTest, stops_the_source_of_a_client_that_does_not_read_and_no_other) {
  connect();
  const Connection stalled = establish(), other = establish();
  stalled.client->takes = false;
  stalled.target->say(std::string(8 << 20, 's'));
  other.target->say(std::string(1 << 20, 'o'));
  ASSERT_TRUE(world.until([&] { return other.client->heard.size() == 1 << 20; }));
  EXPECT_EQ(stalled.client->heard.size(), std::size_t{native::kFirstWindow});
  EXPECT_GT(stalled.target->unsaid(), std::size_t{0});
  EXPECT_LE(world.agent_budget.used(), std::size_t{1} << 20);
  stalled.client->take();
  EXPECT_TRUE(world.until([&] { return stalled.client->heard.size() == 8 << 20; }));
}

TEST_F(NativeLinksTest, stops_a_client_whose_target_does_not_read_and_no_other) {
  connect();
  const Connection stalled = establish(), other = establish();
  stalled.target->read(false);
  constexpr std::size_t kBlock = 64 * 1024;
  std::size_t said = 0;
  const auto flood = [&] {
    for (; !stalled.client->leg->outlet().full(); said += kBlock)
      stalled.client->say(std::string(kBlock, 's'));
    world.idle_for(1ms);
    return stalled.client->leg->outlet().full();
  };
  for (int quiet = 0; quiet < 20;) quiet = flood() ? quiet + 1 : 0;
  EXPECT_LE(world.agent_budget.used(), std::size_t{native::kFirstWindow} + kBlock);
  other.client->say(std::string(1 << 20, 'o'));
  EXPECT_TRUE(world.until([&] { return other.target->heard().size() == 1 << 20; }));
  EXPECT_TRUE(stalled.client->leg->outlet().full());
  stalled.target->read(true);
  EXPECT_TRUE(world.until([&] { return stalled.target->heard().size() == said; }));
  EXPECT_GT(stalled.client->rooms, 0);
}

}  // namespace
}  // namespace tunnel
