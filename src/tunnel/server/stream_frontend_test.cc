#include "tunnel/server/stream_frontend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/proxy_status.h"
#include "tunnel/testing/h2_peer.h"
#include "tunnel/testing/native_fixture.h"

namespace tunnel {
namespace {

using base::Code;
using testing::H2Peer;
using testing::H2PeerStream;
using ::testing::HasSubstr;

// A client that speaks HTTP/2 to a frontend of mode http-connect, whose agent is the test.
class StreamFrontendTest : public ::testing::Test {
 protected:
  StreamFrontendTest() {
    auto& link = world.connect_server_only();
    agent =
        std::make_unique<H2Peer>(world.tasks, link.cable.second(),
                                 http::H2Session::Options{.role = http::H2Session::Role::server});
    EXPECT_TRUE(world.until([this] { return agent->requests().size() == 1; }));
    agent->requests()[0]->stream->respond({{":status", "200"}, {"agent-id", "agent"}});
    world.settle();
    world.tasks.spawn("frontend", connection_.run());
  }
  ~StreamFrontendTest() override {
    world.tasks.cancel();
    world.settle();
  }

  H2PeerStream& dial() {
    return client_.open({{":method", "CONNECT"}, {":authority", "cluster1:80"}});
  }
  // The answer of the agent to the only dial.
  void fail(const base::Error& error) {
    ASSERT_TRUE(world.until([this] { return agent->requests().size() == 2; }));
    agent->requests()[1]->stream->respond_and_end(dial_failure_headers(error));
  }
  std::string answer(const H2PeerStream& dialed) {
    EXPECT_TRUE(world.until([&] { return dialed.ended; }));
    return dialed.header(":status") + " " + dialed.header("proxy-status");
  }

  testing::NativeWorld world;
  std::unique_ptr<H2Peer> agent;

 private:
  net::testing::Cable cable_{world.tasks.executor()};
  ConnectStreams streams_{world.server.context, Client{"client"}};
  http::H2Connection connection_{
      world.tasks.executor(), cable_.second(), {.role = http::H2Session::Role::server}, streams_};
  H2Peer client_{world.tasks, cable_.first(), {.role = http::H2Session::Role::client}};
};

TEST_F(StreamFrontendTest, says_for_programs_that_there_is_no_agent) {
  agent->hang_up();
  world.settle();
  H2PeerStream& dialed = dial();
  EXPECT_EQ(answer(dialed),
            "500 cluster-proxy-server; error=destination_not_found; details=\"No agent "
            "available\"");
  EXPECT_EQ(dialed.body, "currently no tunnels available: No agent available");
}

TEST_F(StreamFrontendTest, says_for_programs_why_the_agent_could_not_connect) {
  H2PeerStream& dialed = dial();
  fail({Code::refused, "dial tcp 10.0.0.1:80: connect: connection refused"});
  EXPECT_EQ(answer(dialed),
            "502 cluster-proxy-agent; error=connection_refused; "
            "details=\"dial tcp 10.0.0.1:80: connect: connection refused\"");
  EXPECT_EQ(dialed.body, "dial tcp 10.0.0.1:80: connect: connection refused");
}

TEST_F(StreamFrontendTest, tells_a_name_that_is_unknown_from_one_that_takes_too_long) {
  H2PeerStream& dialed = dial();
  fail({Code::timeout, "dial tcp: lookup x on 10.0.0.1:53: i/o timeout"});
  EXPECT_THAT(answer(dialed), HasSubstr("504 cluster-proxy-agent; error=dns_timeout;"));
}

TEST_F(StreamFrontendTest, says_for_programs_that_the_agent_forbids_it) {
  H2PeerStream& dialed = dial();
  fail({Code::forbidden, "destination x:1 is not allowed: no --allow-destination matches it"});
  EXPECT_THAT(answer(dialed), HasSubstr("403 cluster-proxy-agent; error=http_request_denied;"));
}

TEST_F(StreamFrontendTest, says_for_programs_that_the_agent_was_lost_meanwhile) {
  H2PeerStream& dialed = dial();
  ASSERT_TRUE(world.until([this] { return agent->requests().size() == 2; }));
  agent->hang_up();
  EXPECT_THAT(answer(dialed), HasSubstr("502 cluster-proxy-server; error=connection_terminated;"));
}

TEST_F(StreamFrontendTest, keeps_what_a_hostile_agent_says_within_a_header) {
  H2PeerStream& dialed = dial();
  fail({Code::io, std::string(4000, 'x')});
  EXPECT_LT(answer(dialed).size(), 1200U);
}

}  // namespace
}  // namespace tunnel
