#include "tunnel/client/dialer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/client/testing/frontend_world.h"
#include "tunnel/proxy_status.h"

namespace tunnel::client {
namespace {

using namespace std::chrono_literals;
using base::Code;
using testing::FrontendWorld;
using ::testing::HasSubstr;
using Frontend = FrontendWorld::Frontend;

/// Whatever the frontend speaks, found out by the dialer.
class DialerAt : public ::testing::TestWithParam<Frontend> {
 protected:
  bool until(const std::function<bool()>& done) { return there.world.until(done); }
  Failure failure(std::size_t index = 0) {
    DialResult& result = there.result(index);
    EXPECT_FALSE(result.has_value());
    return result ? Failure::other : result.error().kind;
  }
  std::string text(std::size_t index = 0) {
    DialResult& result = there.result(index);
    return result ? "" : result.error().message;
  }
  void refuse(const base::Error& error) {
    there.target().stream->allow_half_close(false);
    there.target().stream->respond_and_end(dial_failure_headers(error));
  }

  FrontendWorld there{GetParam()};
  Dialer dialer{there.world.server.clock, there};
};

std::string name_of(const ::testing::TestParamInfo<Frontend>& info) {
  constexpr std::array<const char*, 3> kNames = {"http1", "http2", "grpc"};
  return kNames.at(static_cast<std::size_t>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Frontend, DialerAt,
                         ::testing::Values(Frontend::http1, Frontend::http2, Frontend::grpc),
                         name_of);

TEST_P(DialerAt, connects_and_carries_both_ways) {
  auto& near = there.establish(dialer, "cluster1:80");
  EXPECT_EQ(there.target().header(":authority"), "cluster1:80");
  near.say("question");
  EXPECT_TRUE(until([&] { return there.target().body == "question"; }));
  there.target().say("answer");
  EXPECT_TRUE(until([&] { return near.heard() == "answer"; }));
  there.target().stream->end();
  EXPECT_TRUE(until([&] { return near.ended(); }));
}

TEST_P(DialerAt, carries_much_in_order) {
  auto& near = there.establish(dialer, "cluster1:80");
  std::string much;
  while (much.size() < (3 << 20)) much += fmt::format("{}-", much.size());
  near.say(much);
  there.target().say(much);
  EXPECT_TRUE(until([&] {
    return there.target().body.size() == much.size() && near.heard().size() == much.size();
  }));
  EXPECT_TRUE(there.target().body == much && near.heard() == much);
}

TEST_P(DialerAt, names_the_cluster_that_has_no_agent) {
  there.lose_agent();
  there.dial(dialer, "cluster1:80");
  EXPECT_EQ(failure(), Failure::no_agent);
  EXPECT_EQ(text(), "no agent for \"cluster1\" is connected to hub:8090");
}

TEST_P(DialerAt, tells_why_the_agent_could_not_connect) {
  there.dial(dialer, "cluster1:80");
  refuse({Code::refused, "dial tcp 10.0.0.1:80: connect: connection refused"});
  EXPECT_EQ(failure(), Failure::refused);
  EXPECT_EQ(text(),
            "cannot connect to cluster1:80: dial tcp 10.0.0.1:80: connect: connection refused");
}

TEST_P(DialerAt, knows_a_name_that_is_not_resolved) {
  there.dial(dialer, "nginx:80");
  refuse({Code::not_found, "dial tcp: lookup nginx: no such host"});
  EXPECT_EQ(failure(), Failure::not_resolved);
}

TEST_P(DialerAt, gives_up_in_time) {
  there.dial(dialer, "cluster1:80");
  (void)there.target();
  there.world.advance(31s);
  EXPECT_EQ(failure(), Failure::timed_out);
  EXPECT_THAT(text(), HasSubstr("no answer from hub:8090 about cluster1:80"));
  EXPECT_TRUE(until([&] { return there.target().closed.has_value(); }));
}

TEST_P(DialerAt, connects_again_after_the_server_was_lost) {
  auto& lost = there.establish(dialer, "cluster1:80");
  for (std::size_t i = 0; i < there.connections(); ++i) there.cable(i).cut();
  EXPECT_TRUE(until([&] { return lost.broken(); }));
  auto& near = there.establish(dialer, "cluster1:80");
  there.target(1).say("hello");
  EXPECT_TRUE(until([&] { return near.heard() == "hello"; }));
}

TEST_P(DialerAt, waits_for_a_target_that_does_not_read) {
  auto& near = there.establish(dialer, "cluster1:80");
  there.target().takes = false;
  near.say(std::string(24 << 20, 'x'));
  there.world.settle();
  EXPECT_GT(near.unsaid(), 8U << 20);
}

TEST_P(DialerAt, holds_back_a_target_that_nobody_reads) {
  auto& near = there.establish(dialer, "cluster1:80");
  near.read(false);
  there.target().say(std::string(24 << 20, 'x'));
  there.world.settle();
  EXPECT_GT(there.target().stream->queued(), 8U << 20);
}

TEST_P(DialerAt, refuses_what_is_no_target) {
  there.dial(dialer, "cluster1");
  EXPECT_EQ(failure(), Failure::bad_target);
  EXPECT_THAT(text(), HasSubstr("\"cluster1\""));
  there.dial(dialer, "cluster1\r\nX:80");
  EXPECT_EQ(failure(1), Failure::bad_target);
  there.dial(dialer, ":80");
  EXPECT_EQ(failure(2), Failure::bad_target);
  there.dial(dialer, std::string(70000, 'a') + ":80");
  EXPECT_EQ(failure(3), Failure::bad_target);
  EXPECT_LT(text(3).size(), 500U);
  EXPECT_EQ(there.connections(), 0U);
}

TEST_P(DialerAt, tells_that_the_server_cannot_be_reached) {
  there.unreachable = base::Error{Code::refused, "cannot connect to hub:8090: connection refused"};
  there.dial(dialer, "cluster1:80");
  EXPECT_EQ(failure(), Failure::server_gone);
}

TEST_P(DialerAt, breaks_the_connection_at_the_target_when_it_is_reset) {
  auto& near = there.establish(dialer, "cluster1:80");
  near.reset();
  EXPECT_TRUE(until([&] { return there.target().closed.has_value(); }));
}

/// What HTTP/2 can and HTTP/1.1 can too, but konnectivity's protocol cannot.
class DialerByConnect : public DialerAt {
 protected:
  Dialer dialer{there.world.server.clock,
                there,
                {.protocol = GetParam() == Frontend::http1 ? Protocol::http1 : Protocol::http2}};
};
INSTANTIATE_TEST_SUITE_P(Frontend, DialerByConnect,
                         ::testing::Values(Frontend::http1, Frontend::http2), name_of);

TEST_P(DialerByConnect, keeps_halves_of_an_end) {
  auto& near = there.establish(dialer, "cluster1:80");
  near.say("all");
  near.finish();
  EXPECT_TRUE(until([&] { return there.target().ended; }));
  there.target().say("late answer");
  there.target().stream->end();
  EXPECT_TRUE(until([&] { return near.ended(); }));
  EXPECT_EQ(near.heard(), "late answer");
  EXPECT_EQ(there.target().body, "all");
}

TEST_P(DialerByConnect, keeps_a_reset) {
  auto& near = there.establish(dialer, "cluster1:80");
  there.target().say("half a sent");
  there.world.settle();
  there.target().stream->reset(http::H2Error::connect);
  EXPECT_TRUE(until([&] { return near.broken(); }));
  EXPECT_EQ(near.heard(), "half a sent");
}

/// What shares one connection.
class DialerOnOneConnection : public DialerAt {};
INSTANTIATE_TEST_SUITE_P(Frontend, DialerOnOneConnection,
                         ::testing::Values(Frontend::http2, Frontend::grpc), name_of);

TEST_P(DialerOnOneConnection, shares_it) {
  auto& first = there.establish(dialer, "cluster1:80");
  auto& second = there.establish(dialer, "cluster2:80");
  EXPECT_EQ(there.connections(), 1U);
  there.target(0).say("one");
  there.target(1).say("two");
  EXPECT_TRUE(until([&] { return first.heard() == "one" && second.heard() == "two"; }));
}

TEST_P(DialerOnOneConnection, makes_one_for_dials_at_the_same_time) {
  for (int i = 0; i < 5; ++i) there.dial(dialer, "cluster1:80");
  for (std::size_t i = 0; i < 5; ++i) there.target(i).stream->respond({{":status", "200"}});
  for (std::size_t i = 0; i < 5; ++i) EXPECT_TRUE(there.result(i).has_value()) << text(i);
  EXPECT_EQ(there.connections(), 1U);
}

TEST_P(DialerOnOneConnection, does_not_let_one_that_nobody_reads_hold_up_others) {
  auto& stalled = there.establish(dialer, "cluster1:80");
  stalled.read(false);
  there.target(0).say(std::string(24 << 20, 'x'));
  auto& other = there.establish(dialer, "cluster2:80");
  there.target(1).say(std::string(8 << 20, 'y'));
  EXPECT_TRUE(until([&] { return other.heard().size() == 8U << 20; }));
}

TEST_P(DialerOnOneConnection, lets_all_that_was_sent_go_before_it_finishes) {
  auto& near = there.establish(dialer, "cluster1:80");
  there.target().stream->end();
  EXPECT_TRUE(until([&] { return near.ended(); }));
  near.say(std::string(1 << 20, 'x'));
  near.finish();
  there.world.settle();
  there.world.tasks.spawn("finish", dialer.finish(10s));
  if (GetParam() == Frontend::http2)
    EXPECT_TRUE(until([&] { return there.target().body.size() == 1U << 20; }));
  EXPECT_TRUE(until([&] { return there.target().stream == nullptr; }));
}

TEST_P(DialerByConnect, waits_for_a_target_while_the_server_answers) {
  (void)there.establish(dialer, "cluster1:80");
  there.dial(dialer, "cluster2:80");
  there.world.advance(1s);
  there.world.advance(20s);
  there.target(1).stream->respond({{":status", "200"}});
  EXPECT_TRUE(there.result(1).has_value()) << text(1);
  EXPECT_EQ(there.connections(), GetParam() == Frontend::http1 ? 2U : 1U);
}

class DialerTest : public ::testing::Test {
 protected:
  void use(Frontend kind) {
    there.emplace(kind);
    dialer.emplace(there->world.server.clock, *there);
  }
  Protocol spoken_after_a_dial() {
    (void)there->establish(*dialer, "cluster1:80");
    return dialer->spoken();
  }

  std::optional<FrontendWorld> there;
  std::optional<Dialer> dialer;
};

TEST_F(DialerTest, finds_out_what_is_spoken_behind_tls) {
  use(Frontend::grpc);
  EXPECT_EQ(spoken_after_a_dial(), Protocol::grpc);
  EXPECT_EQ(there->connections(), 1U);
  dialer.reset();
  use(Frontend::http2);
  EXPECT_EQ(spoken_after_a_dial(), Protocol::http2);
  dialer.reset();
  use(Frontend::http1);
  EXPECT_EQ(spoken_after_a_dial(), Protocol::http1);
}

TEST_F(DialerTest, finds_out_what_is_spoken_in_the_clear) {
  use(Frontend::grpc);
  there->alpn = "";
  EXPECT_EQ(spoken_after_a_dial(), Protocol::grpc);
  dialer.reset();
  use(Frontend::http1);
  there->alpn = "";
  there->stranger = "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n";
  there->dial(*dialer, "cluster1:80");
  EXPECT_EQ(there->result(0).error().kind, Failure::protocol);
  EXPECT_EQ(there->connections(), 2U);
}

// A machine that was asleep, a NAT that has forgotten: nothing tells that the connection is dead.
TEST_F(DialerTest, leaves_a_connection_that_has_fallen_silent) {
  use(Frontend::http2);
  auto& old = there->establish(*dialer, "cluster1:80");
  there->cable(0).freeze();
  there->dial(*dialer, "cluster2:80");
  there->world.advance(1s);
  there->world.advance(3s);
  there->target(1).stream->respond({{":status", "200"}});
  EXPECT_TRUE(there->result(1).has_value());
  EXPECT_EQ(there->connections(), 2U);
  there->cable(0).thaw();
  old.say("still there");
  EXPECT_TRUE(there->world.until([&] { return there->target(0).body == "still there"; }));
}

TEST_F(DialerTest, keeps_its_connection_while_many_dials_wait) {
  constexpr std::size_t kDials = 2000;
  use(Frontend::http2);
  (void)there->establish(*dialer, "cluster1:80");
  for (std::size_t i = 0; i < kDials; ++i) there->dial(*dialer, "cluster2:80");
  for (int second = 0; second < 8; ++second) there->world.advance(1s);
  there->target(kDials).stream->respond({{":status", "200"}});
  EXPECT_TRUE(there->result(kDials).has_value()) << there->result(kDials).error().message;
  EXPECT_EQ(there->connections(), 1U);
}

TEST_F(DialerTest, tells_a_server_that_speaks_nothing_known) {
  use(Frontend::http2);
  there->stranger = "220 mail.example ESMTP\r\n";
  there->dial(*dialer, "cluster1:80");
  EXPECT_EQ(there->result(0).error().kind, Failure::server_gone);
  EXPECT_THAT(there->result(0).error().message, HasSubstr("the connection to hub:8090 was lost"));
}

class DialerWithoutHalves : public DialerTest, public ::testing::WithParamInterface<Frontend> {};
INSTANTIATE_TEST_SUITE_P(Frontend, DialerWithoutHalves,
                         ::testing::Values(Frontend::http1, Frontend::grpc), name_of);

TEST_P(DialerWithoutHalves, close_what_stays_silent_after_our_end) {
  use(GetParam());
  auto& near = there->establish(*dialer, "cluster1:80");
  near.say("all");
  near.finish();
  EXPECT_TRUE(there->world.until([&] { return there->target().body == "all"; }));
  there->target().say("late");
  EXPECT_TRUE(there->world.until([&] { return near.heard() == "late"; }));
  EXPECT_FALSE(near.ended());
  there->world.advance(31s);
  EXPECT_TRUE(there->world.until([&] { return near.ended() && there->target().ended; }));
}

}  // namespace
}  // namespace tunnel::client
