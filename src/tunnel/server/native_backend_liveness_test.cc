#include <gtest/gtest.h>

#include "tunnel/native.h"
#include "tunnel/server/testing/native_backend_fixture.h"

namespace tunnel {
namespace {

using testing::H2PeerStream;
using testing::NativeBackendTest;

class NativeBackendLiveness : public NativeBackendTest {
 protected:
  // More than the target takes, and then nobody who would hear its answer.
  H2PeerStream& leave_behind_a_target_that_does_not_read() {
    H2PeerStream& stream = establish(client);
    stream.takes = false;
    for (int i = 0; i < 100; ++i) client.say(std::string(50'000, 'x'));
    world.settle();
    EXPECT_LT(stream.body.size(), 5'000'000u);
    client.leg->finish();
    client.leave();
    return stream;
  }
  void pass(async::Duration time) {
    for (async::Duration t{0}; t < time; t += native::kPingInterval) {
      world.advance(native::kPingInterval);
      world.settle();
    }
  }
};

TEST_F(NativeBackendLiveness, owes_nothing_once_a_dial_is_answered) {
  admit();
  establish(client);
  link->cable.freeze();
  world.advance(std::chrono::seconds(3));
  EXPECT_FALSE(link->server.backend->silent(world.server.clock.now()));
  link->cable.thaw();
}

TEST_F(NativeBackendLiveness, tells_a_slow_target_from_a_dead_link) {
  admit();
  dial(client);
  world.advance(std::chrono::milliseconds(500));
  world.settle();
  world.advance(std::chrono::seconds(3));
  EXPECT_FALSE(link->server.backend->silent(world.server.clock.now()));
  link->cable.freeze();
  EXPECT_TRUE(second.dial_through(*link->server.backend, "10.0.0.2:80"));
  world.advance(std::chrono::milliseconds(500));
  world.settle();
  world.advance(std::chrono::seconds(3));
  EXPECT_TRUE(link->server.backend->silent(world.server.clock.now()));
  link->cable.thaw();
}

TEST_F(NativeBackendLiveness, ends_a_connection_whose_target_takes_no_last_bytes) {
  admit();
  H2PeerStream& stream = leave_behind_a_target_that_does_not_read();
  pass(StallWatch::kPatience - native::kPingInterval);
  EXPECT_FALSE(stream.closed);
  pass(native::kPingInterval);
  EXPECT_TRUE(stream.closed);
}

TEST_F(NativeBackendLiveness, ends_it_though_the_target_has_said_all_it_has) {
  admit();
  H2PeerStream& stream = leave_behind_a_target_that_does_not_read();
  stream.stream->end();
  pass(StallWatch::kPatience + native::kPingInterval);
  EXPECT_TRUE(stream.closed);
}

TEST_F(NativeBackendLiveness, waits_for_a_target_that_takes_some_last_bytes_now_and_then) {
  admit();
  H2PeerStream& stream = leave_behind_a_target_that_does_not_read();
  pass(StallWatch::kPatience - native::kPingInterval);
  const std::size_t taken = stream.body.size();
  stream.stream->consume(taken);
  world.settle();
  pass(StallWatch::kPatience - native::kPingInterval);
  EXPECT_FALSE(stream.closed);
  stream.takes = true;
  stream.stream->consume(stream.body.size() - taken);
  EXPECT_TRUE(world.until([&] { return stream.ended; }));
  EXPECT_EQ(stream.body.size(), 5'000'000u);
}

TEST_F(NativeBackendLiveness, sends_no_more_dials_after_goaway_and_keeps_what_it_has) {
  admit();
  H2PeerStream& stream = establish(client);
  peer->session().goaway();
  world.settle();
  EXPECT_EQ(world.server.context.router.size(), 1u);
  stream.say("still here");
  EXPECT_TRUE(world.until([this] { return client.heard == "still here"; }));
}

TEST_F(NativeBackendLiveness, sends_no_dials_to_an_agent_that_speaks_again_after_goaway) {
  admit();
  peer->session().goaway();
  world.settle();
  ASSERT_EQ(world.server.context.router.size(), 1U);
  link->cable.freeze();
  for (int i = 0; i < native::kPatience.silent + 1; ++i) {
    world.advance(native::kPingInterval);
    world.settle();
  }
  link->cable.thaw();
  world.settle();
  EXPECT_EQ(world.server.context.router.size(), 1U);
}

}  // namespace
}  // namespace tunnel
