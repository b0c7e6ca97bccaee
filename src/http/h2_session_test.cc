#include "http/h2_session.h"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace http {
namespace {

// Remembers what it hears; `log` is shared by both ends of a test.
class Recorder : public H2StreamHandler {
 public:
  struct Heard {
    std::string body;
    std::vector<std::string> events;  // "data 3": pieces that came together
    bool ended = false;
    int drained = 0;
    std::optional<std::uint32_t> closed;
    Headers headers;
  };
  explicit Recorder(Heard& heard) : heard_(heard) {}
  void on_headers(const Headers& headers) override { heard_.headers = headers; }
  void on_data(base::Pieces pieces) override {
    for (const base::Bytes bytes : pieces) heard_.body += base::as_text(bytes);
    heard_.events.push_back(
        fmt::format("data {}", std::ranges::distance(pieces.begin(), pieces.end())));
  }
  void on_end() override {
    heard_.events.emplace_back("end");
    heard_.ended = true;
  }
  void on_drained() override { ++heard_.drained; }
  void on_close(std::uint32_t error) override {
    heard_.events.emplace_back("close");
    heard_.closed = error;
  }

 private:
  Heard& heard_;
};

class Side : public H2Session::Events {
 public:
  explicit Side(H2Session::Role role, bool any_message = false)
      : session({.role = role, .stream_window = 100'000, .any_message = any_message}, *this) {}
  std::unique_ptr<H2StreamHandler> on_request(H2Stream& opened, const Headers& headers) override {
    stream = &opened;
    request = headers;
    if (refuse) return nullptr;
    return std::make_unique<Recorder>(heard);
  }
  void on_output() override {}
  void on_ping_acknowledged() override { ++pings; }
  void on_goaway(std::uint32_t) override { ++goaways; }

  bool refuse = false;
  Headers request;
  H2Stream* stream = nullptr;
  Recorder::Heard heard;
  int pings = 0, goaways = 0;
  H2Session session;
};

std::string goaway_frame(char last_stream, char error, const std::string& details) {
  const std::string head{0, 0, static_cast<char>(8 + details.size()), 7, 0, 0, 0, 0, 0};
  return head + std::string{0, 0, 0, last_stream, 0, 0, 0, error} + details;
}

class H2 : public ::testing::Test {
 protected:
  explicit H2(bool any_message = false) : server(H2Session::Role::server, any_message) {}

  // Carries bytes both ways until neither side has more to say.
  void exchange() {
    while (move(client, server) || move(server, client)) {
    }
  }

  static bool move(Side& from, Side& to) {
    base::BufferQueue out;
    EXPECT_TRUE(from.session.produce(out, 50'000));
    const bool any = !out.empty();
    while (!out.empty()) {
      const base::Buffer block = out.pop();
      EXPECT_TRUE(to.session.receive(block.bytes()));
    }
    return any;
  }

  H2Stream& open() {
    return ask({{":method", "POST"}, {":scheme", "https"}, {":path", "/x"}, {":authority", "a"}});
  }

  H2Stream& ask(const Headers& headers) {
    auto stream = client.session.request(headers, std::make_unique<Recorder>(client.heard));
    EXPECT_TRUE(stream);
    client.stream = *stream;
    exchange();
    return **stream;
  }

  Side client{H2Session::Role::client};
  Side server;
};

TEST_F(H2, resets_the_streams_of_malformed_requests_alone) {
  open();
  auto& good = *server.stream;
  const Headers malformed[] = {
      {{":method", "POST"}, {":scheme", "https"}, {":path", "/x"}, {"Upper", "case"}},
      {{":method", "POST"}, {":scheme", "https"}, {":path", "/x"}, {":authority", "/a/b.socket"}},
      {{":method", "POST"}, {":scheme", "https"}, {":path", "/x"}, {"connection", "close"}},
      {{":method", "CONNECT"}, {":authority", "a:80"}, {":path", "/x"}},
      {{":method", "POST"}, {":path", "/x"}},
  };
  for (const auto& headers : malformed) {
    server.stream = nullptr;
    ask(headers);
    EXPECT_EQ(server.stream, nullptr) << headers.back().name;
    EXPECT_EQ(client.heard.closed, static_cast<std::uint32_t>(H2Error::protocol));
  }
  good.respond({{":status", "200"}});
  exchange();
  EXPECT_EQ(*find(client.heard.headers, ":status"), "200");
  EXPECT_EQ(server.session.streams(), 1u);
}

class TolerantH2 : public H2 {
 protected:
  TolerantH2() : H2(true) {}
};

TEST_F(TolerantH2, carries_a_request_with_any_authority) {
  ask({{":method", "POST"}, {":path", "/x"}, {":authority", "/a/b.socket"}});
  ASSERT_NE(server.stream, nullptr);
  EXPECT_EQ(*find(server.request, ":authority"), "/a/b.socket");
}

// All that a side has to say, as one read brings it.
std::string said_at_once(Side& side) {
  base::BufferQueue out;
  EXPECT_TRUE(side.session.produce(out, 1'000'000));
  std::string text;
  out.for_each_block([&](base::Bytes block) {
    text += base::as_text(block);
    return true;
  });
  return text;
}

TEST_F(H2, hands_over_the_frames_of_a_stream_that_came_at_once_together) {
  H2Stream& stream = open();
  for (int i = 0; i < 3; ++i) stream.send(base::Bytes(std::vector<std::uint8_t>(10'000, 'a')));
  stream.end();
  const std::string all = said_at_once(client);
  ASSERT_TRUE(server.session.receive(base::as_bytes(all)));
  EXPECT_EQ(server.heard.body, std::string(30'000, 'a'));
  EXPECT_EQ(server.heard.events, (std::vector<std::string>{"data 2", "end"}));
}

TEST_F(H2, hands_over_what_came_before_a_reset) {
  H2Stream& stream = open();
  stream.send(base::as_bytes("before"));
  std::string all = said_at_once(client);
  stream.reset(H2Error::cancel);
  all += said_at_once(client);
  ASSERT_TRUE(server.session.receive(base::as_bytes(all)));
  EXPECT_EQ(server.heard.events, (std::vector<std::string>{"data 1", "close"}));
}

TEST_F(H2, hands_over_many_small_frames_in_a_bounded_number) {
  H2Stream& stream = open();
  std::string all;
  for (int i = 0; i < 40; ++i) {
    stream.send(base::as_bytes("a"));
    all += said_at_once(client);
  }
  ASSERT_TRUE(server.session.receive(base::as_bytes(all)));
  EXPECT_EQ(server.heard.events, (std::vector<std::string>{"data 16", "data 16", "data 8"}));
}

TEST_F(H2, carries_bodies_and_trailers) {
  open().send(base::as_bytes("question"));
  exchange();
  EXPECT_EQ(server.heard.body, "question");
  server.stream->respond({{":status", "200"}});
  server.stream->send(base::as_bytes("answer"));
  server.stream->end({{"grpc-status", "0"}});
  exchange();
  EXPECT_EQ(client.heard.body, "answer");
  EXPECT_EQ(*find(client.heard.headers, "grpc-status"), "0");
  EXPECT_TRUE(client.heard.ended);
}

TEST_F(H2, carries_trailers_without_a_body) {
  open();
  server.stream->respond({{":status", "200"}});
  server.stream->end({{"grpc-status", "12"}});
  exchange();
  ASSERT_NE(find(client.heard.headers, "grpc-status"), nullptr);
  EXPECT_EQ(*find(client.heard.headers, "grpc-status"), "12");
}

TEST_F(H2, ends_a_stream_whose_answer_is_complete) {
  open();
  server.stream->respond({{":status", "200"}});
  server.stream->end();
  exchange();
  EXPECT_EQ(server.heard.closed, 0u);
  EXPECT_EQ(server.session.streams(), 0u);
}

TEST_F(H2, stops_at_the_window_of_a_stream_that_is_not_read) {
  open().send(base::as_bytes(std::string(300'000, 'x')));
  exchange();
  EXPECT_EQ(server.heard.body.size(), 100'000u);
  EXPECT_EQ(client.stream->queued(), 200'000u);
  server.stream->consume(60'000);
  exchange();
  EXPECT_EQ(server.heard.body.size(), 160'000u);
}

TEST_F(H2, lets_other_streams_pass_one_that_is_not_read) {
  open().send(base::as_bytes(std::string(300'000, 'x')));
  exchange();
  const std::size_t stuck = server.heard.body.size();
  open().send(base::as_bytes("passes"));
  exchange();
  EXPECT_EQ(server.heard.body.size(), stuck + 6);
}

TEST_F(H2, says_when_little_is_left_to_send) {
  H2Stream& stream = open();
  stream.send(base::as_bytes(std::string(90'000, 'x')));
  EXPECT_EQ(client.heard.drained, 0);
  exchange();
  EXPECT_GE(client.heard.drained, 1);
}

TEST_F(H2, tells_both_sides_of_a_reset) {
  open().reset(H2Error::cancel);
  exchange();
  EXPECT_EQ(server.heard.closed, 8u);
  EXPECT_EQ(client.heard.closed, 8u);
  EXPECT_EQ(server.session.streams(), 0u);
}

TEST_F(H2, refuses_a_request_without_handler) {
  server.refuse = true;
  open();
  EXPECT_EQ(client.heard.closed, 7u);
}

TEST_F(H2, answers_pings_and_passes_goaway) {
  open();
  client.session.ping();
  server.session.goaway();
  exchange();
  EXPECT_EQ(client.pings, 1);
  EXPECT_EQ(client.goaways, 1);
}

// What grpc-go says when it closes: the last stream is its own.
TEST_F(H2, takes_the_goodbye_of_a_go_client_for_one) {
  open();
  EXPECT_TRUE(server.session.receive(base::as_bytes(goaway_frame(1, 0, "shutdown"))));
  exchange();
  EXPECT_EQ(server.goaways, 1);
  EXPECT_TRUE(server.session.finished());
  const base::Error why = server.session.why_over("over");
  EXPECT_TRUE(why.is(base::Code::closed));
  EXPECT_EQ(why.message, "the peer ended the connection");
}

TEST_F(H2, keeps_what_an_odd_goodbye_says_of_an_error) {
  open();
  constexpr std::uint8_t kEnhanceYourCalm = 11;
  EXPECT_TRUE(
      server.session.receive(base::as_bytes(goaway_frame(1, kEnhanceYourCalm, "too_many_pings"))));
  exchange();
  EXPECT_EQ(server.session.why_over("over").message,
            "HTTP/2: the peer ends the connection: ENHANCE_YOUR_CALM (too_many_pings)");
}

TEST_F(H2, tells_other_violations_as_before) {
  open();
  const std::string data_on_stream_0("\0\0\1\0\0\0\0\0\0x", 10);
  EXPECT_TRUE(server.session.receive(base::as_bytes(data_on_stream_0)));
  exchange();
  EXPECT_TRUE(server.session.why_over("over").is(base::Code::invalid));
}

TEST_F(H2, closes_streams_towards_their_handlers_when_it_goes) {
  open();
  server.session.close_streams(H2Error::cancel);
  EXPECT_EQ(server.heard.closed, 8u);
}

TEST_F(H2, names_a_peer_that_speaks_something_else) {
  const auto received = server.session.receive(base::as_bytes("GET / HTTP/1.1\r\n\r\n"));
  ASSERT_FALSE(received);
  EXPECT_EQ(received.error().message, "the peer does not speak HTTP/2; this port is for gRPC");
  Side other(H2Session::Role::server);
  EXPECT_EQ(other.session.receive(base::as_bytes("\x16\x03\x01")).error().message,
            "the peer speaks TLS; this socket speaks without it: turn TLS off at the peer");
}

TEST_F(H2, produces_about_as_much_as_asked) {
  H2Stream& stream = open();
  stream.send(base::as_bytes(std::string(90'000, 'x')));
  base::BufferQueue out;
  ASSERT_TRUE(client.session.produce(out, 20'000));
  EXPECT_GE(out.size(), 20'000u);
  EXPECT_LT(out.size(), 45'000u);
}

}  // namespace
}  // namespace http
