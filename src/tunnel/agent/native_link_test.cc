#include "tunnel/agent/native_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/native.h"
#include "tunnel/testing/h2_peer.h"
#include "tunnel/testing/native_fixture.h"
#include "tunnel/testing/silent_target.h"
#include "tunnel/testing/test_client.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;
using testing::frame;
using testing::H2Peer;
using testing::H2PeerStream;
using ::testing::HasSubstr;
using testing::NativeWorld;
using testing::TestClient;

constexpr std::uint8_t kData = 0, kHeaders = 1, kReset = 3, kSettings = 4;
constexpr std::uint8_t kEndStream = 1, kEndHeaders = 4;
constexpr std::uint32_t kProtocolError = 1, kFlowControlError = 3, kStreamClosed = 5,
                        kRefusedStream = 7;
constexpr char kWelcome[] = "{\"type\":\"welcome\"}\n";

// The agent's end of a link whose server says what it should not; and a link to another server,
// which must not notice (docs/protocol.md, 9).
class AgentNativeLinkTest : public ::testing::Test {
 protected:
  AgentNativeLinkTest() : bystander_(world.connect({"agent-1", "", ""})) {
    address = world.listen();
    EXPECT_TRUE(world.until([this] { return bystander_.agent.welcome.has_value(); }));
    EXPECT_TRUE(connected_.dial(address));
    EXPECT_TRUE(world.until([this] { return connected_.dialed && world.targets.size() == 1; }));
    link = &world.connect_agent_only({"agent-1", "host=a", "secret"});
    peer =
        std::make_unique<H2Peer>(world.tasks, link->cable.first(),
                                 http::H2Session::Options{.role = http::H2Session::Role::client});
    world.settle();
  }
  ~AgentNativeLinkTest() override {
    EXPECT_FALSE(bystander_.agent.ended);
    connected_.say("unmoved");
    EXPECT_TRUE(world.until([this] { return world.targets[0]->heard() == "unmoved"; }));
    peer->hang_up();
    EXPECT_TRUE(world.until([this] { return peer->ended() && link->agent.ended; }));
  }

  static http::Headers control_headers() {
    return {{":method", "POST"},
            {":scheme", "https"},
            {":path", std::string(native::kControlPath)},
            {":authority", "other"},
            {"server-id", "other"},
            {"server-count", "2"},
            {"ping-interval-ms", "5000"}};
  }
  static http::Headers control_with(const std::string& name, const std::string& value) {
    http::Headers headers = control_headers();
    for (http::HeaderField& field : headers) {
      if (field.name == name) field.value = value;
    }
    return headers;
  }
  H2PeerStream& open(const http::Headers& headers) {
    H2PeerStream& stream = peer->open(headers);
    world.settle();
    return stream;
  }
  H2PeerStream& admit() {
    H2PeerStream& control = open(control_headers());
    control.say(kWelcome);
    EXPECT_TRUE(world.until([this] { return link->agent.welcome.has_value(); }));
    return control;
  }
  H2PeerStream& connect(const std::string& authority, const http::Headers& more = {}) {
    http::Headers headers{{":method", "CONNECT"}, {":authority", authority}};
    headers.insert(headers.end(), more.begin(), more.end());
    return open(headers);
  }
  H2PeerStream& establish() {
    const std::size_t before = world.targets.size();
    H2PeerStream& stream = connect(address);
    EXPECT_TRUE(world.until(
        [&] { return world.targets.size() > before && stream.header(":status") == "200"; }));
    return stream;
  }
  bool link_ends() {
    return world.until([this] { return link->agent.ended.has_value(); });
  }
  const std::string& why() { return link->agent.ended->message; }

  NativeWorld world;
  NativeWorld::Link* link = nullptr;
  std::unique_ptr<H2Peer> peer;
  std::string address;

 private:
  NativeWorld::Link& bystander_;
  TestClient connected_{world.server.context};
};

TEST_F(AgentNativeLinkTest, introduces_itself_in_its_answer) {
  const H2PeerStream& control = open(control_headers());
  EXPECT_EQ(control.header(":status"), "200");
  EXPECT_EQ(control.header("agent-id"), "agent-1");
  EXPECT_EQ(control.header("agent-identifiers"), "host=a");
  EXPECT_EQ(control.header("authorization"), "Bearer secret");
  EXPECT_FALSE(link->agent.welcome);
}

TEST_F(AgentNativeLinkTest, is_open_once_it_is_welcome) {
  admit();
  EXPECT_EQ(link->agent.welcome->server_id, "other");
  EXPECT_EQ(link->agent.welcome->server_count, 2);
  H2PeerStream& stream = establish();
  stream.say("hello");
  EXPECT_TRUE(world.until([this] { return world.targets[1]->heard() == "hello"; }));
}

TEST_F(AgentNativeLinkTest, ends_the_link_of_a_server_that_does_not_say_who_it_is) {
  http::Headers headers = control_headers();
  std::erase_if(headers, [](const auto& field) { return field.name == "server-id"; });
  open(headers);
  ASSERT_TRUE(link_ends());
  EXPECT_THAT(why(), HasSubstr("server-id"));
}

TEST_F(AgentNativeLinkTest, ends_the_link_of_a_server_with_an_empty_id) {
  open(control_with("server-id", ""));
  ASSERT_TRUE(link_ends());
  EXPECT_THAT(why(), HasSubstr("server-id"));
}

TEST_F(AgentNativeLinkTest, ends_the_link_of_a_server_with_two_ids) {
  http::Headers headers = control_headers();
  headers.push_back({"server-id", "third"});
  open(headers);
  ASSERT_TRUE(link_ends());
  EXPECT_THAT(why(), HasSubstr("server-id"));
}

TEST_F(AgentNativeLinkTest, ends_the_link_at_a_server_count_that_is_no_number) {
  open(control_with("server-count", "3x"));
  ASSERT_TRUE(link_ends());
  EXPECT_THAT(why(), HasSubstr("\"3x\""));
}

TEST_F(AgentNativeLinkTest, ends_the_link_at_a_ping_interval_that_is_no_number) {
  open(control_with("ping-interval-ms", "soon"));
  ASSERT_TRUE(link_ends());
  EXPECT_THAT(why(), HasSubstr("ping-interval-ms"));
}

TEST_F(AgentNativeLinkTest, waits_as_long_as_the_servers_ping_interval_says) {
  H2PeerStream& control = open(control_with("ping-interval-ms", "60000"));
  control.say(kWelcome);
  world.settle();
  world.advance(150s);
  world.settle();
  EXPECT_EQ(link->agent.silences, 0);
  for (int i = 0; i < 6; ++i) world.advance(60s);
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(link->agent.silences, 1);
  EXPECT_EQ(why(), "the peer has said nothing for 360s");
}

TEST_F(AgentNativeLinkTest, gives_up_a_server_that_does_not_welcome_it) {
  open(control_headers());
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(link->agent.ended);
    peer->session().ping();
    world.settle();
    world.advance(native::kPingInterval);
  }
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(why(), "the server did not let this agent in within 15s");
}

TEST_F(AgentNativeLinkTest, refuses_a_first_stream_that_is_not_the_control_stream) {
  const H2PeerStream& stray =
      open({{":method", "POST"}, {":scheme", "https"}, {":path", "/x"}, {":authority", "a"}});
  EXPECT_TRUE(world.until([&] { return stray.closed == kRefusedStream; }));
  EXPECT_FALSE(link->agent.ended);
  admit();
}

TEST_F(AgentNativeLinkTest, refuses_a_second_control_stream) {
  admit();
  const H2PeerStream& again = open(control_headers());
  EXPECT_TRUE(world.until([&] { return again.closed == kRefusedStream; }));
  establish();
}

TEST_F(AgentNativeLinkTest, refuses_dials_before_it_is_welcome) {
  H2PeerStream& control = open(control_headers());
  const H2PeerStream& early = connect(address);
  EXPECT_TRUE(world.until([&] { return early.closed == kRefusedStream; }));
  control.say(kWelcome);
  world.settle();
  establish();
}

TEST_F(AgentNativeLinkTest, refuses_methods_that_it_does_not_know) {
  admit();
  const H2PeerStream& got =
      open({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {":authority", "a"}});
  EXPECT_TRUE(world.until([&] { return got.closed == kRefusedStream; }));
  establish();
}

TEST_F(AgentNativeLinkTest, answers_what_cannot_be_dialed) {
  admit();
  const H2PeerStream& no_port = connect("nowhere");
  const H2PeerStream& nothing = open({{":method", "CONNECT"}});
  const H2PeerStream& udp = connect(address, {{"network", "udp"}});
  ASSERT_TRUE(world.until([&] { return no_port.closed && nothing.closed && udp.closed; }));
  for (const H2PeerStream* stream : {&no_port, &nothing, &udp}) {
    EXPECT_EQ(stream->header(":status"), "502");
    EXPECT_TRUE(stream->ended);
    EXPECT_THAT(stream->header("proxy-status"),
                HasSubstr("cluster-proxy-agent; error=http_request_error; details=\""));
  }
  EXPECT_THAT(udp.header("proxy-status"), HasSubstr("unknown network udp"));
  establish();
}

TEST_F(AgentNativeLinkTest, names_the_type_of_a_dial_error) {
  admit();
  world.listeners[0]->close();
  const H2PeerStream& refused = connect(address);
  ASSERT_TRUE(world.until([&] { return refused.closed.has_value(); }));
  EXPECT_EQ(refused.header(":status"), "502");
  EXPECT_EQ(refused.header("proxy-status"),
            "cluster-proxy-agent; error=connection_refused; details=\"dial tcp " + address +
                ": connect: connection refused\"");
}

TEST_F(AgentNativeLinkTest, ends_the_link_when_it_is_refused) {
  open(control_headers()).say("{\"type\":\"refused\",\"reason\":\"no such cluster\"}\n");
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(why(), "the server refuses this agent: no such cluster");
}

TEST_F(AgentNativeLinkTest, ends_the_link_at_a_message_that_is_not_json) {
  admit().say("draining\n");
  ASSERT_TRUE(link_ends());
  EXPECT_THAT(why(), HasSubstr("is not JSON"));
}

TEST_F(AgentNativeLinkTest, ends_the_link_at_a_message_that_is_too_long) {
  admit().say(std::string(17'000, ' '));
  ASSERT_TRUE(link_ends());
  EXPECT_THAT(why(), HasSubstr("longer than 16384 bytes"));
}

TEST_F(AgentNativeLinkTest, ends_the_link_when_the_control_stream_ends) {
  H2PeerStream& control = admit();
  establish();
  control.stream->end();
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(why(), "the peer ended the link");
  EXPECT_TRUE(world.until([this] { return world.targets[1]->broken(); }));
}

TEST_F(AgentNativeLinkTest, ends_the_link_when_the_control_stream_is_cancelled) {
  admit().stream->reset(http::H2Error::cancel);
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(why(), "the control stream was reset with error 8");
}

TEST_F(AgentNativeLinkTest, ignores_messages_members_and_headers_that_it_does_not_know) {
  http::Headers headers = control_headers();
  headers.push_back({"mood", "fine"});
  open(headers).say(
      "{\"type\":\"song\"}\n{\"type\":\"welcome\",\"key\":[]}\n{\"type\":\"more-links\",\"count\":"
      "9}\n");
  EXPECT_TRUE(world.until([this] { return link->agent.welcome.has_value(); }));
  EXPECT_FALSE(link->agent.ended);
  EXPECT_EQ(connect(address, {{"mood", "fine"}}).closed, std::nullopt);
}

TEST_F(AgentNativeLinkTest, goes_away_when_the_server_drains_and_keeps_what_it_has) {
  H2PeerStream& control = admit();
  H2PeerStream& stream = establish();
  control.say("{\"type\":\"draining\"}\n");
  world.settle();
  EXPECT_EQ(link->agent.going_away, 1);
  peer->session().goaway();
  world.settle();
  EXPECT_EQ(link->agent.going_away, 2);
  stream.say("still here");
  EXPECT_TRUE(world.until([this] { return world.targets[1]->heard() == "still here"; }));
}

TEST_F(AgentNativeLinkTest, tells_the_server_that_it_drains) {
  const H2PeerStream& control = admit();
  link->agent.link->drain();
  world.settle();
  EXPECT_EQ(control.body, "{\"type\":\"draining\"}\n");
}

TEST_F(AgentNativeLinkTest, gives_up_a_server_that_breaks_framing) {
  admit();
  establish();
  peer->inject(frame(kData, 0, 0, "x"));
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(peer->goaway(), kProtocolError);
  EXPECT_THAT(why(), HasSubstr("stream_id == 0"));
  EXPECT_TRUE(world.until([this] { return world.targets[1]->broken(); }));
}

TEST_F(AgentNativeLinkTest, gives_up_a_server_that_goes_on_after_the_end_of_a_stream) {
  admit();
  H2PeerStream& stream = establish();
  const std::uint32_t id = static_cast<std::uint32_t>(stream.stream->id());
  stream.stream->end();
  world.settle();
  peer->inject(frame(kData, kEndStream, id, "more"));
  ASSERT_TRUE(link_ends());
  EXPECT_EQ(peer->goaway(), kStreamClosed);
  EXPECT_EQ(world.targets[1]->heard(), "");
}

TEST_F(AgentNativeLinkTest, bounds_what_comes_for_a_target_that_is_not_connected_yet) {
  admit();
  const testing::SilentTarget silent;
  H2PeerStream& stream = connect(silent.address());
  const auto id = static_cast<std::uint32_t>(stream.stream->id());
  for (int i = 0; i < 2; ++i) peer->inject(frame(kData, 0, id, std::string(40'000, 'x')));
  EXPECT_TRUE(world.until([&] { return stream.closed == kFlowControlError; }));
  EXPECT_LE(world.agent_budget.used(), std::size_t{native::kFirstWindow} * 2);
  EXPECT_FALSE(link->agent.ended);
  establish();
}

TEST_F(AgentNativeLinkTest, ignores_data_on_a_stream_that_is_over) {
  admit();
  H2PeerStream& stream = establish();
  const std::uint32_t id = static_cast<std::uint32_t>(stream.stream->id());
  world.targets[1]->reset();
  ASSERT_TRUE(world.until([&] { return stream.closed.has_value(); }));
  EXPECT_EQ(stream.closed, static_cast<std::uint32_t>(http::H2Error::connect));
  for (int i = 0; i < 4; ++i) peer->inject(frame(kData, 0, id, std::string(60'000, 'x')));
  establish().say("still here");
  EXPECT_TRUE(world.until([this] { return world.targets[2]->heard() == "still here"; }));
}

// A server that writes frames as it likes.
class RawServerTest : public AgentNativeLinkTest {
 protected:
  RawServerTest() {
    raw_link_ = &world.connect_agent_only({"agent-1", "", ""});
    world.wires.push_back(std::make_unique<testing::Wire>(world.tasks, raw_link_->cable.first()));
    wire_ = world.wires.back().get();
    wire_->say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, ""));
    std::string block;
    for (const auto& [name, value] : control_headers())
      block += testing::literal_field(name, value);
    wire_->say(frame(kHeaders, kEndHeaders, 1, block) + frame(kData, 0, 1, kWelcome));
    EXPECT_TRUE(world.until([this] { return raw_link_->agent.welcome.has_value(); }));
  }

  std::string connect_block() const {
    return testing::literal_field(":method", "CONNECT") +
           testing::literal_field(":authority", address);
  }
  // A frame of this type and stream that begins so was heard.
  bool hears(std::uint8_t type, std::uint32_t stream, std::string_view payload) {
    const std::string wanted = frame(type, 0, stream, payload).substr(3);
    return world.until([&] { return wire_->heard().find(wanted) != std::string::npos; });
  }

  NativeWorld::Link* raw_link_;
  testing::Wire* wire_;
};

TEST_F(RawServerTest, has_headers_beyond_the_limit_refused) {
  wire_->say(frame(kHeaders, kEndHeaders, 3, connect_block() + testing::header_bomb()));
  EXPECT_TRUE(hears(kReset, 3, std::string("\0\0\0\x02", 4)));
  const std::size_t before = world.targets.size();
  wire_->say(frame(kHeaders, kEndHeaders, 5, connect_block()));
  EXPECT_TRUE(world.accepted(before + 1));
  EXPECT_FALSE(raw_link_->agent.ended);
}

}  // namespace
}  // namespace tunnel
