#include "tunnel/server/connect_frontend.h"

#include <gtest/gtest.h>

#include "tunnel/testing/h2_peer.h"
#include "tunnel/testing/native_fixture.h"

namespace tunnel {
namespace {

using testing::H2Peer;
using testing::H2PeerStream;
using testing::NativeWorld;
using testing::Wire;

constexpr char kEstablished[] = "HTTP/1.1 200 Connection Established\r\n\r\n";

// One client in mode http-connect, whose agent is the test.
class ConnectFrontendTest : public ::testing::Test {
 protected:
  ConnectFrontendTest() {
    link_ = &world.connect_server_only();
    agent =
        std::make_unique<H2Peer>(world.tasks, link_->cable.second(),
                                 http::H2Session::Options{.role = http::H2Session::Role::server});
    EXPECT_TRUE(world.until([this] { return agent->requests().size() == 1; }));
    agent->requests()[0]->stream->respond({{":status", "200"}, {"agent-id", "agent"}});
    world.settle();
    world.wires.push_back(std::make_unique<Wire>(world.tasks, cable_.second()));
    client = world.wires.back().get();
    frontend_ = std::make_unique<ConnectFrontend>(
        world.server.context, cable_.first(), Client{"client"}, ConnectRequest{"target:80", ""});
    world.tasks.spawn("frontend", serve(*this));
    EXPECT_TRUE(world.until([this] { return agent->requests().size() == 2; }));
  }
  ~ConnectFrontendTest() override {
    client->close();
    agent->hang_up();
    EXPECT_TRUE(world.until([this] { return ended && agent->ended() && link_->server.ended; }));
  }

  static async::Task<void> serve(ConnectFrontendTest& self) {
    auto result = co_await self.frontend_->run();
    self.frontend_.reset();
    self.ended = true;
    co_return result;
  }
  // The agent's end of the connection.
  H2PeerStream& target() { return *agent->requests()[1]; }
  void accept() { target().stream->respond({{":status", "200"}}); }
  void establish() {
    accept();
    EXPECT_TRUE(world.until([this] { return client->heard() == kEstablished; }));
  }

  NativeWorld world;
  std::unique_ptr<H2Peer> agent;
  Wire* client = nullptr;
  bool ended = false;  // the frontend has

 private:
  NativeWorld::Link* link_;
  net::testing::Cable cable_{world.tasks.executor()};
  std::unique_ptr<ConnectFrontend> frontend_;
};

TEST_F(ConnectFrontendTest, answers_before_a_target_that_speaks_first) {
  accept();
  target().say("greeting");
  EXPECT_TRUE(world.until([this] { return client->heard().ends_with("greeting"); }));
  EXPECT_EQ(client->heard(), std::string(kEstablished) + "greeting");
}

TEST_F(ConnectFrontendTest, passes_both_ends_on) {
  establish();
  target().say("all");
  target().stream->end();
  ASSERT_TRUE(world.until([this] { return client->ended(); }));
  client->say("late words");
  client->finish();
  EXPECT_TRUE(world.until([this] { return target().ended && ended; }));
  EXPECT_EQ(target().body, "late words");
  EXPECT_FALSE(client->broken());
}

TEST_F(ConnectFrontendTest, does_not_let_a_broken_stream_look_whole) {
  establish();
  target().say("half a sent");
  world.settle();
  target().stream->reset(http::H2Error::connect);
  ASSERT_TRUE(world.until([this] { return client->broken() || client->ended(); }));
  EXPECT_TRUE(client->broken());
  EXPECT_EQ(client->heard(), std::string(kEstablished) + "half a sent");
  EXPECT_TRUE(world.until([this] { return ended; }));
}

TEST_F(ConnectFrontendTest, does_not_let_a_stream_look_whole_whose_agent_is_lost) {
  establish();
  client->finish();
  world.settle();
  agent->hang_up();
  ASSERT_TRUE(world.until([this] { return client->broken() || client->ended(); }));
  EXPECT_TRUE(client->broken());
  EXPECT_TRUE(world.until([this] { return ended; }));
}

TEST_F(ConnectFrontendTest, ends_for_a_client_that_goes_on_when_the_agent_has_no_use_for_more) {
  establish();
  target().say("all");
  target().stream->end();
  world.settle();
  target().stream->reset(http::H2Error::no_error);
  EXPECT_TRUE(world.until([this] { return ended; }));
}

}  // namespace
}  // namespace tunnel
