#pragma once

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/server/native_backend.h"
#include "tunnel/testing/h2_peer.h"
#include "tunnel/testing/native_fixture.h"
#include "tunnel/testing/test_client.h"

namespace tunnel::testing {

/// The server's end of a link whose agent is the test, which says what it should not; and an agent
/// beside it, which must not notice (docs/protocol.md, 9).
class NativeBackendTest : public ::testing::Test {
 protected:
  NativeBackendTest() : bystander_(world.connect({"bystander", "", ""})) {
    EXPECT_TRUE(world.until([this] { return bystander_.agent.welcome.has_value(); }));
    EXPECT_TRUE(connected_.dial_through(*bystander_.server.backend, world.listen()));
    EXPECT_TRUE(world.until([this] { return connected_.dialed && !world.targets.empty(); }));
    link = &world.connect_server_only();
    start({.role = http::H2Session::Role::server});
  }
  ~NativeBackendTest() override {
    EXPECT_FALSE(bystander_.server.ended);
    connected_.say("unmoved");
    EXPECT_TRUE(world.until([this] { return world.targets[0]->heard() == "unmoved"; }));
    peer->hang_up();
    EXPECT_TRUE(world.until([this] { return peer->ended() && link->server.ended; }));
  }

  void start(const http::H2Session::Options& options) {
    peer = std::make_unique<H2Peer>(world.tasks, link->cable.second(), options);
    EXPECT_TRUE(world.until([this] { return peer->requests().size() == 1; }));
  }
  H2PeerStream& control() { return *peer->requests()[0]; }
  void answer(const http::Headers& headers) {
    control().stream->respond(headers);
    world.settle();
  }
  void admit() {
    answer({{":status", "200"}, {"agent-id", "misbehaving"}});
    EXPECT_EQ(control().body, "{\"type\":\"welcome\"}\n");
  }
  // A dial that the peer has heard of.
  H2PeerStream& dial(TestClient& asking) {
    const std::size_t before = peer->requests().size();
    EXPECT_TRUE(asking.dial_through(*link->server.backend, "10.0.0.1:80"));
    EXPECT_TRUE(world.until([&] { return peer->requests().size() > before; }));
    return *peer->requests().back();
  }
  H2PeerStream& establish(TestClient& asking) {
    H2PeerStream& stream = dial(asking);
    stream.stream->respond({{":status", "200"}});
    world.settle();
    EXPECT_TRUE(asking.dialed);
    return stream;
  }
  bool link_ends() {
    return world.until([this] { return link->server.ended.has_value(); });
  }
  const std::string& why() { return link->server.ended->message; }
  void expect_refused(const std::string& reason) {
    EXPECT_THAT(control().body, ::testing::HasSubstr("\"refused\""));
    EXPECT_THAT(control().body, ::testing::HasSubstr(reason));
    EXPECT_EQ(world.server.context.router.size(), 1u);
  }

  NativeWorld world;
  NativeWorld::Link* link = nullptr;
  std::unique_ptr<H2Peer> peer;
  TestClient client{world.server.context}, second{world.server.context};

 private:
  NativeWorld::Link& bystander_;
  TestClient connected_{world.server.context};
};

}  // namespace tunnel::testing
