#include "tunnel/local/port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/dial.h"
#include "tunnel/client/testing/frontend_world.h"
#include "tunnel/local/bench_helper.h"

namespace tunnel::local {
namespace {

using namespace std::string_literals;
using client::testing::FrontendWorld;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using tunnel::testing::Wire;

/// Connections to local ports, whose far end is the test.
class PortTest : public ::testing::Test {
 protected:
  /// A client of a port that does this with it.
  Wire& visit(const Port::Serve& serve) {
    net::testing::Cable cable(there.world.tasks.executor());
    there.world.tasks.spawn("visit", serve(cable.second()));
    there.world.wires.push_back(std::make_unique<Wire>(there.world.tasks, cable.first()));
    return *there.world.wires.back();
  }
  /// A program of this machine that connects there.
  Wire& connect(const std::string& address) {
    std::optional<Wire*> made;
    there.world.tasks.spawn("connect", connect(*this, address, made));
    EXPECT_TRUE(until([&] { return made.has_value(); }));
    return **made;
  }
  static async::Task<void> connect(PortTest& self, std::string address,
                                   std::optional<Wire*>& made) {
    auto& world = self.there.world;
    CO_TRY(auto socket,
           co_await net::dial_tcp(world.server.clock, address, std::chrono::seconds(5), {}));
    auto stream = net::make_socket_stream(std::move(socket));
    world.wires.push_back(std::make_unique<Wire>(world.tasks, std::move(stream)));
    made = world.wires.back().get();
    co_return base::Result<void>{};
  }
  static async::Task<void> stop(Port& port, bool& stopped) {
    co_await port.stop();
    stopped = true;
    co_return base::Result<void>{};
  }
  bool until(const std::function<bool()>& done) { return there.world.until(done); }
  void accept(std::size_t index = 0) { there.target(index).stream->respond({{":status", "200"}}); }

  std::vector<Outcome> outcomes;
  FrontendWorld there{FrontendWorld::Frontend::http2};
  client::Dialer dialer{there.world.server.clock, there};
  Context context{there.world.server.clock, dialer,
                  [this](const Outcome& outcome) { outcomes.push_back(outcome); }};
};

TEST_F(PortTest, leads_to_its_target_and_tells_what_it_carried) {
  Wire& near = visit(forward_to(context, "cluster1:80"));
  accept();
  near.say("question");
  near.finish();
  EXPECT_TRUE(until([&] { return there.target().ended; }));
  there.target().say("answer");
  there.target().stream->end();
  EXPECT_TRUE(until([&] { return near.ended() && !outcomes.empty(); }));
  EXPECT_EQ(near.heard(), "answer");
  EXPECT_EQ(outcomes[0].target, "cluster1:80");
  EXPECT_EQ(outcomes[0].sent, 8U);
  EXPECT_EQ(outcomes[0].received, 6U);
  EXPECT_FALSE(outcomes[0].error);
}

TEST_F(PortTest, resets_a_connection_that_leads_nowhere_and_tells_why) {
  there.lose_agent();
  Wire& near = visit(forward_to(context, "cluster1:80"));
  EXPECT_TRUE(until([&] { return near.broken() && !outcomes.empty(); }));
  EXPECT_THAT(outcomes[0].error->message, HasSubstr("no agent for \"cluster1\""));
}

TEST_F(PortTest, stops_dialing_for_a_client_that_broke_off) {
  Wire& near = visit(forward_to(context, "cluster1:80"));
  (void)there.target();
  near.reset();
  EXPECT_TRUE(until([&] { return there.target().closed && !outcomes.empty(); }));
  EXPECT_EQ(outcomes[0].error->message, "the client left before cluster1:80 was connected");
}

TEST_F(PortTest, stops_connecting_to_the_server_for_a_client_that_broke_off) {
  there.hangs = true;
  Wire& near = visit(forward_to(context, "cluster1:80"));
  there.world.settle();
  near.reset();
  EXPECT_TRUE(until([&] { return !outcomes.empty(); }));
  EXPECT_TRUE(outcomes[0].error);
}

// A program that closes its socket says the same to it as one that has only said all it has.
TEST_F(PortTest, tells_a_client_that_has_gone_from_one_that_waits_for_an_answer) {
  auto& world = there.world;
  auto listener = *net::listen_tcp(world.server.loop, world.server.clock, "127.0.0.1", 0);
  const std::string address = listener->address();
  Port port(world.server.loop, std::move(listener), forward_to(context, "cluster1:80"));
  port.start();
  Wire& waiting = connect(address);
  waiting.finish();
  (void)there.target(0);
  Wire& leaving = connect(address);
  leaving.close();
  (void)there.target(1);
  world.advance(std::chrono::seconds(1));
  EXPECT_TRUE(until([&] { return there.target(1).closed.has_value(); }));
  accept(0);
  there.target(0).say("answer");
  EXPECT_TRUE(until([&] { return waiting.heard() == "answer"; }));
  bool stopped = false;
  world.tasks.spawn("stop", stop(port, stopped));
  EXPECT_TRUE(until([&] { return stopped; }));
}

TEST_F(PortTest, gives_up_a_target_that_does_not_take_the_last_bytes_of_a_client_that_has_gone) {
  auto& world = there.world;
  Wire& near = visit(forward_to(context, "cluster1:80"));
  accept();
  there.target().takes = false;
  near.say(std::string(8 << 20, 'x'));
  world.settle();
  world.advance(std::chrono::minutes(5));
  world.settle();
  EXPECT_FALSE(there.target().closed);
  near.reset();
  world.advance(std::chrono::seconds(30));
  EXPECT_TRUE(until([&] { return there.target().closed && !outcomes.empty(); }));
  EXPECT_THAT(outcomes[0].error->message, HasSubstr("did not take its last bytes in time"));
}

TEST_F(PortTest, speaks_socks5) {
  Wire& near = visit(socks5_proxy(context, {}));
  near.say("\x05\x01\x00\x05\x01\x00\x03\x08"s + "cluster1\x00\x50"s + "early");
  EXPECT_EQ(there.target().header(":authority"), "cluster1:80");
  accept();
  EXPECT_TRUE(until([&] { return there.target().body == "early"; }));
  EXPECT_THAT(near.heard(), StartsWith("\x05\x00\x05\x00"s));
}

TEST_F(PortTest, tells_a_socks5_client_that_there_is_no_agent) {
  there.lose_agent();
  Wire& near = visit(socks5_proxy(context, {}));
  near.say("\x05\x01\x00\x05\x01\x00\x03\x08"s + "cluster1\x00\x50"s);
  EXPECT_TRUE(until([&] { return near.ended(); }));
  EXPECT_EQ(near.heard().substr(0, 4), "\x05\x00\x05\x04"s);
}

TEST_F(PortTest, speaks_http_connect) {
  Wire& near = visit(http_proxy(context, {}));
  near.say("CONNECT cluster1:443 HTTP/1.1\r\nHost: cluster1:443\r\n\r\nearly");
  accept();
  EXPECT_TRUE(until([&] { return there.target().body == "early"; }));
  EXPECT_EQ(near.heard(), "HTTP/1.1 200 Connection established\r\n\r\n");
}

TEST_F(PortTest, sends_a_plain_request_to_its_origin) {
  Wire& near = visit(http_proxy(context, {}));
  near.say("POST http://cluster1/a HTTP/1.1\r\nHost: cluster1\r\nContent-Length: 4\r\n\r\nbody");
  accept();
  EXPECT_TRUE(until([&] { return there.target().body.ends_with("\r\n\r\nbody"); }));
  EXPECT_THAT(there.target().body, StartsWith("POST /a HTTP/1.1\r\n"));
}

// The origin may ignore that the connection is for one request; the next may be for another origin.
TEST_F(PortTest, sends_no_second_request_to_the_origin_of_the_first) {
  Wire& near = visit(http_proxy(context, {}));
  near.say("POST http://cluster1/a HTTP/1.1\r\nHost: cluster1\r\nContent-Length: 4\r\n\r\nbo");
  accept();
  EXPECT_TRUE(until([&] { return there.target().body.ends_with("\r\n\r\nbo"); }));
  near.say("dyGET http://cluster2/secret HTTP/1.1\r\nHost: cluster2\r\n\r\n");
  EXPECT_TRUE(until([&] { return there.target().ended; }));
  EXPECT_TRUE(there.target().body.ends_with("\r\n\r\nbody"));
  there.target().say("answer");
  there.target().stream->end();
  EXPECT_TRUE(until([&] { return near.ended(); }));
  EXPECT_EQ(near.heard(), "answer");
}

TEST_F(PortTest, sends_what_came_behind_the_first_request_to_nobody) {
  Wire& near = visit(http_proxy(context, {}));
  const std::string get = "GET http://cluster1/a HTTP/1.1\r\nHost: cluster1\r\n\r\n";
  near.say(get + get);
  accept();
  near.say(get);
  EXPECT_TRUE(until([&] { return there.target().ended; }));
  EXPECT_EQ(there.target().body.find("GET", 1), std::string::npos);
}

TEST_F(PortTest, carries_all_after_an_upgrade) {
  Wire& near = visit(http_proxy(context, {}));
  near.say(
      "GET http://cluster1/a HTTP/1.1\r\nHost: cluster1\r\nConnection: Upgrade\r\n"
      "Upgrade: websocket\r\n\r\n");
  accept();
  near.say("frames");
  EXPECT_TRUE(until([&] { return there.target().body.ends_with("\r\n\r\nframes"); }));
}

TEST_F(PortTest, answers_http_in_words_when_it_cannot) {
  there.lose_agent();
  Wire& near = visit(http_proxy(context, {}));
  near.say("GET http://cluster1/ HTTP/1.1\r\nHost: cluster1\r\n\r\n");
  EXPECT_TRUE(until([&] { return near.ended(); }));
  EXPECT_THAT(near.heard(), StartsWith("HTTP/1.1 502 Bad Gateway\r\n"));
  EXPECT_THAT(near.heard(), HasSubstr("no agent for \"cluster1\""));
}

TEST_F(PortTest, wants_the_password_of_its_users) {
  Wire& near = visit(http_proxy(context, {"u", "secret"}));
  near.say("CONNECT cluster1:443 HTTP/1.1\r\nHost: cluster1:443\r\n\r\n");
  EXPECT_TRUE(until([&] { return near.ended(); }));
  EXPECT_THAT(near.heard(), StartsWith("HTTP/1.1 407 "));
}

TEST_F(PortTest, gives_up_a_client_that_does_not_say_what_it_wants) {
  (void)visit(socks5_proxy(context, {}));
  there.world.settle();
  there.world.advance(std::chrono::seconds(61));
  EXPECT_TRUE(until([&] { return !outcomes.empty(); }));
  EXPECT_TRUE(outcomes[0].error->is(base::Code::timeout));
}

TEST_F(PortTest, helps_to_measure) {
  Wire& echo = visit(bench_helper());
  echo.say(bench_request(BenchJob::echo) + "ping");
  EXPECT_TRUE(until([&] { return echo.heard() == "ping"; }));
  Wire& discard = visit(bench_helper());
  discard.say(bench_request(BenchJob::discard) + std::string(1 << 20, 'x'));
  EXPECT_TRUE(until([&] { return discard.heard().ends_with("\n"); }));
}

}  // namespace
}  // namespace tunnel::local
