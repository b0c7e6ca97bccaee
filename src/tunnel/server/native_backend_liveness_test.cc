#include <gtest/gtest.h>

#include "tunnel/native.h"
#include "tunnel/server/testing/native_backend_fixture.h"

namespace tunnel {
namespace {

using testing::H2PeerStream;
using testing::NativeBackendTest;

class NativeBackendLiveness : public NativeBackendTest {};

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
