#include "tunnel/agent/connect_stream.h"

#include <gtest/gtest.h>

#include "async/testing/run.h"
#include "metrics/registry.h"
#include "net/listener.h"
#include "tunnel/agent/link_connections.h"
#include "tunnel/testing/call_pair.h"

namespace tunnel {
namespace {

using async::Task;
using base::Result;

std::string describe(const std::string& message) {
  const auto packet = decode_packet(base::as_bytes(message));
  std::string text(wire_name(packet->type));
  if (packet->random != 0) text += fmt::format(" random={}", packet->random);
  if (packet->connect_id != 0) text += fmt::format(" id={}", packet->connect_id);
  if (!packet->error.empty()) text += fmt::format(" error={}", packet->error);
  if (!packet->data.empty()) text += " " + std::string(base::as_text(packet->data));
  return text;
}

// One link whose server is the test; targets are real sockets on loopback.
class ConnectStreamTest : public ::testing::Test, private ConnectStream::Owner {
 protected:
  ConnectStreamTest() { pair_.far_accept({}); }
  ~ConnectStreamTest() override {
    pair_.cut();
    connections_.stop();
    run_until([this] { return context_.metrics.open_endpoint_connections.value() == 0; });
  }

  std::unique_ptr<http::H2StreamHandler> make(http::H2Stream& stream) {
    ConnectStream::Owner& owner = *this;
    return std::make_unique<ConnectStream>(stream, context_, owner, connections_);
  }

  // Carries packets until `done`, for at most half a minute.
  template <typename Condition>
  bool run_until(Condition done) {
    const auto deadline = clock_.now() + std::chrono::seconds(30);
    do {
      loop_.restart();
      loop_.run_for(std::chrono::milliseconds(1));
      pair_.exchange();
    } while (!done() && clock_.now() < deadline);
    return done();
  }

  // The next `count` packets of the agent.
  std::vector<std::string> hear(std::size_t count) {
    std::vector<std::string> heard;
    run_until([&] {
      for (const std::string& message : pair_.received()) heard.push_back(describe(message));
      return heard.size() >= count;
    });
    return heard;
  }

  void dial(std::int64_t random, std::string_view network = "tcp") {
    pair_.far_send(encode_dial_request(network, listener_->address(), random));
  }

  static Task<void> accept(net::Listener& listener, std::unique_ptr<net::Stream>& out) {
    CO_TRY(auto socket, co_await listener.accept());
    out = net::make_socket_stream(std::move(socket));
    co_return Result<void>{};
  }
  void accept() {
    target_.reset();
    tasks_.spawn("accept", accept(*listener_, target_));
    ASSERT_TRUE(run_until([this] { return target_ != nullptr; }));
  }

  Task<void> read_target() {
    std::array<std::uint8_t, 65536> block;
    for (;;) {
      CO_TRY(const std::size_t count, co_await target_->read_some(block));
      if (count == 0) break;
      target_text_ += base::as_text({block.data(), count});
    }
    target_ended_ = true;
    co_return Result<void>{};
  }
  // All that the target gets until the end.
  std::string target_heard() {
    tasks_.spawn("read", read_target());
    EXPECT_TRUE(run_until([this] { return target_ended_; }));
    return target_text_;
  }

  static Task<void> write(net::Stream& stream, std::string text) {
    co_return co_await stream.write_all(base::as_bytes(text));
  }
  void target_says(std::string text) {
    ASSERT_TRUE(async::testing::run(loop_, write(*target_, std::move(text))));
  }

  std::string data(std::int64_t id, std::string_view text) {
    base::Buffer block(text.size());
    block.append(base::as_bytes(text));
    frame_data(block, id);
    return std::string(base::as_text(block.bytes().subspan(grpc::kPrefixBytes)));
  }

  async::Loop loop_;
  async::SystemClock clock_;
  metrics::Registry registry_;
  AgentMetrics metrics_{registry_};
  base::MemoryBudget budget_{16 << 20};
  StallWatch stalls_{clock_};
  base::MemoryBudget grown_windows_{32 << 20};
  http::H2Session::WindowPolicy windows_{clock_, grown_windows_, 4 << 20};
  AgentContext context_{clock_, loop_.get_executor(), metrics_, budget_, stalls_, windows_, 1 << 20,
                        false};
  LinkConnections connections_{context_};
  testing::CallPair pair_{[this](http::H2Stream& stream) { return make(stream); }};
  std::unique_ptr<net::Listener> listener_ =
      std::move(*net::listen_tcp(loop_, clock_, "127.0.0.1", 0));
  std::unique_ptr<net::Stream> target_;
  std::string target_text_;
  bool target_ended_ = false;
  async::TaskGroup tasks_{loop_.get_executor()};

 private:
  void on_response_headers(const http::Headers&) override {}
  void on_call_ended(const grpc::Status&) override {}
  void on_congested() override {}
};

using Texts = std::vector<std::string>;

TEST_F(ConnectStreamTest, numbers_each_dial_also_failed_ones) {
  dial(7);
  EXPECT_EQ(hear(1), Texts{"DIAL_RSP random=7 id=1"});
  dial(8, "udp");
  EXPECT_EQ(hear(1), Texts{"DIAL_RSP random=8 error=dial udp: unknown network udp"});
  dial(9);
  EXPECT_EQ(hear(1), Texts{"DIAL_RSP random=9 id=3"});
}

TEST_F(ConnectStreamTest, says_why_a_dial_failed) {
  listener_->close();
  dial(7);
  EXPECT_EQ(hear(1), Texts{"DIAL_RSP random=7 error=dial tcp " + listener_->address() +
                           ": connect: connection refused"});
}

TEST_F(ConnectStreamTest, carries_bytes_both_ways) {
  dial(7);
  accept();
  EXPECT_EQ(hear(1), Texts{"DIAL_RSP random=7 id=1"});
  target_says("hello");
  EXPECT_EQ(hear(1), Texts{"DATA id=1 hello"});
  pair_.far_send(data(1, "ques"));
  pair_.far_send(data(1, "tion"));
  pair_.far_send(encode_close_request(1));
  EXPECT_EQ(target_heard(), "question");
  EXPECT_EQ(hear(1), Texts{"CLOSE_RSP id=1"});
}

TEST_F(ConnectStreamTest, answers_the_dial_before_a_target_that_speaks_first) {
  dial(7);
  accept();
  target_says("greeting");
  target_->close();
  EXPECT_EQ(hear(3), (Texts{"DIAL_RSP random=7 id=1", "DATA id=1 greeting", "CLOSE_RSP id=1"}));
}

TEST_F(ConnectStreamTest, tells_a_reset_from_an_end) {
  dial(7);
  accept();
  hear(1);
  target_->abort();
  const Texts heard = hear(1);
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_NE(heard[0].find("connection reset by peer"), std::string::npos) << heard[0];
}

TEST_F(ConnectStreamTest, answers_packets_of_unknown_connections) {
  pair_.far_send(data(5, "x"));
  pair_.far_send(encode_close_request(6));
  pair_.far_send(encode_close_request(0));
  EXPECT_EQ(hear(3),
            (Texts{"CLOSE_RSP id=5 error=unrecognized connectID",
                   "CLOSE_RSP id=6 error=Unknown connectID", "CLOSE_RSP error=Unknown connectID"}));
}

TEST_F(ConnectStreamTest, survives_packets_that_make_no_sense) {
  pair_.far_send("\xff\xff\xff");  // not protobuf
  pair_.far_send("\x08\x04");      // DATA without payload
  pair_.far_send("\x08\x01");      // DIAL_RSP without payload
  pair_.far_send("\x08\x63");      // unknown type
  pair_.far_send(encode_drain());
  pair_.far_send(data(0, "nowhere"));
  pair_.far_send(encode_close_dial(42));
  dial(7);
  EXPECT_EQ(hear(1), Texts{"DIAL_RSP random=7 id=1"});
}

TEST_F(ConnectStreamTest, answers_an_empty_message_as_a_dial_of_nothing) {
  pair_.far_send("");
  EXPECT_EQ(hear(1), Texts{"DIAL_RSP error=dial : unknown network "});
}

TEST_F(ConnectStreamTest, says_nothing_of_a_dial_that_was_called_off) {
  dial(7);
  pair_.far_send(encode_close_dial(7));
  dial(8);
  EXPECT_EQ(hear(1), Texts{"DIAL_RSP random=8 id=2"});
}

TEST_F(ConnectStreamTest, ends_the_call_at_a_message_that_is_too_large) {
  pair_.far_send(std::string(grpc::kMaxMessageBytes + 1, 'x'));
  EXPECT_TRUE(run_until([this] { return connections_.stream() == nullptr; }));
  EXPECT_NE(registry_.expose().find("code=\"ResourceExhausted\""), std::string::npos);
}

TEST_F(ConnectStreamTest, gives_targets_what_came_before_the_link_was_lost) {
  dial(7);
  accept();
  hear(1);
  const std::string text(500'000, 'x');
  pair_.far_send(data(1, text));
  pair_.cut();
  EXPECT_EQ(target_heard(), text);
}

TEST_F(ConnectStreamTest, holds_the_link_for_a_target_that_does_not_read) {
  dial(7);
  accept();
  hear(1);
  const std::string block(100'000, 'x');
  for (int i = 0; i < 100; ++i) pair_.far_send(data(1, block));
  EXPECT_LT(budget_.used(), std::size_t{2} << 20);
  pair_.far_send(encode_close_request(1));
  EXPECT_EQ(target_heard().size(), 100 * block.size());
}

}  // namespace
}  // namespace tunnel
