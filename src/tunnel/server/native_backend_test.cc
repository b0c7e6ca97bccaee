#include "tunnel/server/native_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/native.h"
#include "tunnel/server/testing/native_backend_fixture.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;
using testing::frame;
using testing::H2Peer;
using testing::H2PeerStream;
using ::testing::HasSubstr;
using testing::NativeBackendTest;
using testing::NativeWorld;
using testing::TestClient;

constexpr std::uint8_t kData = 0, kHeaders = 1, kWindowUpdate = 8;
constexpr std::uint8_t kEndStream = 1, kEndHeaders = 4;
constexpr std::uint32_t kProtocolError = 1, kFlowControlError = 3, kStreamClosed = 5,
                        kFrameSizeError = 6, kCompressionError = 9;

TEST_F(NativeBackendTest, introduces_itself_on_the_control_stream) {
  EXPECT_EQ(control().header(":method"), "POST");
  EXPECT_EQ(control().header(":path"), "/cluster-proxy/1/control");
  EXPECT_EQ(control().header("server-id"), "server-1");
  EXPECT_EQ(control().header("server-count"), "3");
  EXPECT_EQ(control().header("ping-interval-ms"), "5000");
  EXPECT_EQ(control().body, "");
}

TEST_F(NativeBackendTest, asks_for_a_connection_by_connect) {
  admit();
  const H2PeerStream& stream = dial(client);
  EXPECT_EQ(stream.header(":method"), "CONNECT");
  EXPECT_EQ(stream.header(":authority"), "10.0.0.1:80");
  EXPECT_EQ(stream.header("network"), "tcp");
  EXPECT_NE(stream.header("connection-id"), "");
  EXPECT_EQ(stream.header(":path"), "");
}

TEST_F(NativeBackendTest, refuses_an_agent_without_an_id) {
  answer({{":status", "200"}});
  expect_refused("agent-id");
}

TEST_F(NativeBackendTest, refuses_an_agent_with_an_empty_id) {
  answer({{":status", "200"}, {"agent-id", ""}});
  expect_refused("agent-id");
}

TEST_F(NativeBackendTest, refuses_an_agent_with_two_ids) {
  answer({{":status", "200"}, {"agent-id", "a"}, {"agent-id", "b"}});
  expect_refused("agent-id");
}

TEST_F(NativeBackendTest, refuses_an_agent_whose_identifiers_are_no_query) {
  answer({{":status", "200"}, {"agent-id", "a"}, {"agent-identifiers", "host=a;b"}});
  expect_refused("identifiers");
}

TEST_F(NativeBackendTest, refuses_an_answer_that_is_no_200) {
  answer({{":status", "404"}, {"agent-id", "a"}});
  expect_refused("404");
}

TEST_F(NativeBackendTest, ends_the_link_of_a_refused_agent_that_stays) {
  answer({{":status", "200"}});
  EXPECT_FALSE(link->server.ended);
  for (int i = 0; i < 4 && !link->server.ended; ++i) {
    world.advance(native::kPingInterval);
    world.settle();
  }
  EXPECT_TRUE(link_ends());
}

TEST_F(NativeBackendTest, ends_the_link_of_an_agent_that_does_not_introduce_itself) {
  for (int i = 0; i < 2; ++i) {
    world.advance(native::kPingInterval);
    world.settle();
  }
  EXPECT_FALSE(link->server.ended);
  world.advance(native::kPingInterval);
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(why(), "the agent did not say who it is within 15s");
}

TEST_F(NativeBackendTest, ends_the_link_when_the_control_stream_is_refused) {
  control().stream->reset(http::H2Error::refused_stream);
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(why(), "the control stream was reset with error 7");
}

TEST_F(NativeBackendTest, ends_the_link_when_the_control_stream_ends) {
  admit();
  establish(client);
  control().stream->end();
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(why(), "the peer ended the link");
  EXPECT_TRUE(client.truncated);
}

TEST_F(NativeBackendTest, ends_the_link_when_the_control_stream_is_cancelled) {
  admit();
  control().stream->reset(http::H2Error::cancel);
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(why(), "the control stream was reset with error 8");
}

TEST_F(NativeBackendTest, ends_the_link_at_a_message_that_is_not_json) {
  admit();
  control().say("welcome\n");
  ASSERT_TRUE(link_ends());
  EXPECT_THAT(why(), HasSubstr("is not JSON"));
}

TEST_F(NativeBackendTest, ends_the_link_at_a_message_without_type) {
  admit();
  control().say("{\"reason\":\"none\"}\n");
  ASSERT_TRUE(link_ends());
  EXPECT_THAT(why(), HasSubstr("\"type\""));
}

TEST_F(NativeBackendTest, ends_the_link_at_a_message_that_is_too_long) {
  admit();
  control().say(std::string(17'000, ' '));
  ASSERT_TRUE(link_ends());
  EXPECT_THAT(why(), HasSubstr("longer than 16384 bytes"));
}

TEST_F(NativeBackendTest, ignores_messages_members_and_headers_that_it_does_not_know) {
  answer({{":status", "200"}, {"agent-id", "misbehaving"}, {"mood", "fine"}});
  control().say(
      "{\"type\":\"song\"}\n{\"type\":\"welcome\",\"key\":{}}\n{\"type\":\"draining\",\"x\":1}\n");
  world.settle();
  EXPECT_FALSE(link->server.ended);
  EXPECT_TRUE(link->server.backend->draining());
}

TEST_F(NativeBackendTest, refuses_streams_of_an_agent) {
  admit();
  establish(client);
  // :method GET, :scheme https, :path / from the static table of HPACK.
  peer->inject(frame(kHeaders, kEndStream | kEndHeaders, 2, "\x82\x87\x84"));
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(peer->goaway(), kProtocolError);
  EXPECT_THAT(why(), HasSubstr("HTTP/2"));
  EXPECT_TRUE(client.truncated);
}

TEST_F(NativeBackendTest, gives_up_a_peer_that_breaks_framing) {
  admit();
  peer->inject(frame(kData, 0, 0, "x"));
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(peer->goaway(), kProtocolError);
  EXPECT_THAT(why(), HasSubstr("stream_id == 0"));
}

TEST_F(NativeBackendTest, gives_up_a_peer_that_breaks_hpack) {
  admit();
  dial(client);
  peer->inject(frame(kHeaders, kEndHeaders, 3, "\xff\xff\xff\xff\xff\xff"));
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(peer->goaway(), kCompressionError);
  EXPECT_EQ(client.failure, DialFailure::backend_close);
}

TEST_F(NativeBackendTest, gives_up_a_peer_whose_frame_is_too_large) {
  admit();
  establish(client);
  peer->inject(frame(kData, 0, 3, std::string(native::kFrame + 1, 'x')));
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(peer->goaway(), kFrameSizeError);
}

TEST_F(NativeBackendTest, ends_the_stream_on_which_the_peer_overflows_our_window) {
  admit();
  establish(client);
  client.takes = false;
  for (int i = 0; i < 2; ++i) peer->inject(frame(kData, 0, 3, std::string(40'000, 'x')));
  world.settle();
  EXPECT_LE(client.heard.size(), std::size_t{native::kFirstWindow + native::kFrame});
  EXPECT_TRUE(client.closed);
  EXPECT_TRUE(client.truncated);
  EXPECT_EQ(peer->requests()[1]->closed, kFlowControlError);
  EXPECT_FALSE(link->server.ended);
}

TEST_F(NativeBackendTest, ends_the_stream_whose_window_the_peer_overflows) {
  admit();
  establish(client);
  peer->inject(frame(kWindowUpdate, 0, 3, "\x7f\xff\xff\xff"));
  EXPECT_TRUE(world.until([this] { return client.closed; }));
  EXPECT_TRUE(client.truncated);
  EXPECT_FALSE(link->server.ended);
}

TEST_F(NativeBackendTest, ignores_data_on_a_stream_that_is_over) {
  admit();
  establish(client);
  client.leave();
  world.settle();
  for (int i = 0; i < 4; ++i) peer->inject(frame(kData, 0, 3, std::string(60'000, 'x')));
  H2PeerStream& next = establish(second);
  next.say("still here");
  EXPECT_TRUE(world.until([this] { return second.heard == "still here"; }));
}

TEST_F(NativeBackendTest, tells_a_target_that_goes_on_for_a_client_that_has_gone) {
  admit();
  H2PeerStream& stream = establish(client);
  client.leg->finish();
  client.leave();
  stream.say(std::string(512 * 1024, 'x'));
  world.settle();
  EXPECT_FALSE(stream.closed);
  stream.say(std::string(1024 * 1024, 'x'));
  EXPECT_TRUE(world.until([&] { return stream.closed.has_value(); }));
}

TEST_F(NativeBackendTest, gives_up_a_peer_that_goes_on_after_the_end_of_a_stream) {
  admit();
  H2PeerStream& stream = establish(client);
  stream.stream->end();
  world.settle();
  EXPECT_TRUE(client.target_done);
  peer->inject(frame(kData, kEndStream, 3, "more"));
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(peer->goaway(), kStreamClosed);
  EXPECT_EQ(client.heard, "");
}

TEST_F(NativeBackendTest, a_second_answer_to_a_dial_ends_that_connection_alone) {
  admit();
  H2PeerStream& stream = establish(client);
  // :status 404 from the static table.
  peer->inject(frame(kHeaders, kEndHeaders | kEndStream, 3, "\x8d"));
  world.settle();
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(stream.closed, static_cast<std::uint32_t>(http::H2Error::protocol));
  EXPECT_FALSE(link->server.ended.has_value());
}

TEST_F(NativeBackendTest, gives_up_a_peer_whose_data_come_before_its_answer) {
  admit();
  dial(client);
  peer->inject(frame(kData, 0, 3, "early"));
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(peer->goaway(), kProtocolError);
  EXPECT_EQ(client.failure, DialFailure::backend_close);
}

TEST_F(NativeBackendTest, gives_clients_a_text_for_any_refusal) {
  admit();
  dial(client).stream->respond_and_end({{":status", "418"}});
  dial(second).stream->reset(http::H2Error::refused_stream);
  ASSERT_TRUE(world.until([this] { return client.failure && second.failure; }));
  EXPECT_EQ(client.error, "the agent answered the dial with status 418");
  EXPECT_EQ(second.error, "the agent refused the dial with error 7");
  EXPECT_EQ(second.failure, DialFailure::error_response);
  EXPECT_FALSE(link->server.ended);
}

TEST_F(NativeBackendTest, takes_no_more_connections_than_the_agent_allows) {
  NativeWorld::Link& small = world.connect_server_only();
  H2Peer few(world.tasks, small.cable.second(),
             {.role = http::H2Session::Role::server, .max_streams = 2});
  ASSERT_TRUE(world.until([&] { return few.requests().size() == 1; }));
  few.requests()[0]->stream->respond({{":status", "200"}, {"agent-id", "small"}});
  world.settle();
  EXPECT_TRUE(client.dial_through(*small.server.backend, "10.0.0.1:80"));
  EXPECT_FALSE(second.dial_through(*small.server.backend, "10.0.0.1:80"));
  EXPECT_EQ(world.server.context.router.size(), 2u);  // it may take dials again later
  ASSERT_TRUE(world.until([&] { return few.requests().size() == 2; }));
  client.leave();
  EXPECT_TRUE(world.until([&] { return few.requests()[1]->closed.has_value(); }));
  EXPECT_TRUE(second.dial_through(*small.server.backend, "10.0.0.1:80"));
  second.leave();
  few.hang_up();
  EXPECT_TRUE(world.until([&] { return few.ended() && small.server.ended; }));
}

TEST_F(NativeBackendTest, drops_headers_beyond_their_limit) {
  admit();
  dial(client);
  peer->inject(frame(kHeaders, kEndHeaders, 3, "\x88" + testing::header_bomb()));
  EXPECT_TRUE(world.until([this] { return client.failure.has_value(); }));
  EXPECT_FALSE(client.dialed);
  EXPECT_FALSE(link->server.ended);
  establish(second);
}

}  // namespace
}  // namespace tunnel
