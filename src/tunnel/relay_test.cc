#include "tunnel/relay.h"

#include <sys/socket.h>

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "net/socket_stream.h"
#include "tunnel/link_sender.h"
#include "tunnel/packet.h"
#include "tunnel/testing/call_pair.h"

namespace tunnel {
namespace {

using async::Task;
using base::Result;

constexpr async::Duration kDeparture = std::chrono::seconds(30);

// A relay between one end of a socket pair and a flow. The test holds the other end of the pair and
// the far end of the call.
class RelayTest : public ::testing::Test, private Relay::Listener {
 protected:
  explicit RelayTest(async::Duration linger = {}) {
    call_->drained = [this] { sender_.pump(); };
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    ours_ = wrap(ends[0]);
    peer_ = wrap(ends[1]);
    Relay::Listener& listener = *this;
    flow_.set_connect_id(5);
    relay_.emplace(loop_.get_executor(), *ours_, flow_, clock_, watch_, budget_, listener,
                   Relay::Options{.half_close = linger.count() > 0 ? Relay::HalfClose::linger
                                                                   : Relay::HalfClose::no,
                                  .linger = linger,
                                  .departures = &departures_});
    owner_.relay = &*relay_;
    tasks_.spawn("relay", run(*relay_, ended_));
    tasks_.spawn("departures", departures_.run());
  }
  ~RelayTest() override {
    tasks_.cancel();
    poll();
  }

  std::unique_ptr<net::Stream> wrap(int descriptor) {
    const async::asio::generic::stream_protocol protocol(AF_UNIX, 0);
    return net::make_socket_stream(net::Socket(loop_, protocol, descriptor));
  }
  std::unique_ptr<http::H2StreamHandler> make(http::H2Stream& stream) {
    auto call = std::make_unique<testing::NearCall>(stream);
    call_ = call.get();
    return call;
  }
  static Task<void> run(Relay& relay, bool& ended) {
    auto result = co_await relay.run();
    ended = true;
    co_return result;
  }

  void poll() {
    loop_.restart();
    while (loop_.poll() > 0) pair_.exchange();
    pair_.exchange();
  }

  // The peer says more than the far end takes.
  void fill_link();

  // The payload that the far end has heard.
  std::string heard() {
    poll();
    std::string text;
    for (const std::string& message : pair_.received()) {
      const auto packet = decode_packet(base::as_bytes(message));
      EXPECT_EQ(packet->connect_id, 5);
      text += base::as_text(packet->data);
    }
    return text;
  }

  static Task<void> write(net::Stream& stream, std::string text) {
    co_return co_await stream.write_all(base::as_bytes(text));
  }
  static Task<void> half_close(net::Stream& stream) { co_return co_await stream.shutdown_write(); }
  static Task<void> read(net::Stream& stream, std::string& out, bool& ended) {
    std::array<std::uint8_t, 65536> block;
    for (;;) {
      CO_TRY(const std::size_t count, co_await stream.read_some(block));
      if (count == 0) break;
      out += base::as_text({block.data(), count});
    }
    ended = true;
    co_return Result<void>{};
  }
  // Like the owners of relays, which close the socket when run() has returned.
  std::string peer_reads_to_end() {
    std::string text;
    bool done = false;
    tasks_.spawn("read", read(*peer_, text, done));
    poll();
    if (ended_) ours_->close();
    poll();
    EXPECT_TRUE(done);
    return text;
  }

  struct Owner : Flow::Owner {
    void on_flow_drained() override {
      if (relay != nullptr) relay->on_room();
    }
    Relay* relay = nullptr;
  };

  async::Loop loop_;
  async::ManualClock clock_{loop_.get_executor()};
  StallWatch watch_{clock_};
  DelayLine departures_{loop_.get_executor(), clock_, kDeparture};
  base::MemoryBudget budget_{1 << 30};
  testing::NearCall* call_ = nullptr;
  testing::CallPair pair_{[this](http::H2Stream& stream) { return make(stream); }};
  LinkSender sender_{*call_};
  Owner owner_;
  Flow flow_{sender_, owner_, budget_};
  std::unique_ptr<net::Stream> ours_, peer_;
  std::optional<Relay> relay_;
  bool ended_ = false;
  std::optional<Relay::ReadEnd> read_end_;
  async::TaskGroup tasks_{loop_.get_executor()};

 private:
  void on_read_end(Relay::ReadEnd end) override { read_end_ = end; }
  void on_written(std::size_t count) override { written_ += count; }
  std::size_t written_ = 0;
};

class LingeringRelayTest : public RelayTest {
 protected:
  LingeringRelayTest() : RelayTest(std::chrono::seconds(10)) {}
};

std::string pattern(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

void RelayTest::fill_link() {
  pair_.far_hold(true);
  tasks_.spawn("write", write(*peer_, pattern(8'000'000)));
  poll();
}

TEST_F(RelayTest, carries_what_it_reads_into_the_flow) {
  const std::string text = pattern(1'000'000);
  tasks_.spawn("write", write(*peer_, text));
  EXPECT_EQ(heard(), text);
  EXPECT_EQ(relay_->bytes_read(), text.size());
}

TEST_F(RelayTest, stops_reading_when_the_link_takes_no_more) {
  fill_link();
  EXPECT_TRUE(flow_.full());
  EXPECT_LT(relay_->bytes_read(), 1'000'000u);
  pair_.far_hold(false);
  EXPECT_EQ(heard().size() + heard().size(), 8'000'000u);
}

TEST_F(RelayTest, writes_all_that_was_delivered_before_it_ends) {
  const std::string text = pattern(3'000'000);
  for (std::size_t at = 0; at < text.size(); at += 100'000)
    relay_->deliver(base::as_bytes(std::string_view(text).substr(at, 100'000)));
  relay_->finish();
  poll();
  EXPECT_FALSE(ended_);  // the peer has not read
  EXPECT_EQ(peer_reads_to_end(), text);
  EXPECT_TRUE(ended_);
  EXPECT_EQ(relay_->bytes_written(), text.size());
  EXPECT_EQ(budget_.used(), 0u);
}

TEST_F(RelayTest, writes_pieces_in_order_however_much_of_them_the_socket_takes) {
  const std::string text = pattern(3'000'000);
  const auto piece = [&](std::size_t at, std::size_t size) {
    return base::as_bytes(std::string_view(text).substr(at, size));
  };
  for (std::size_t at = 0; at < text.size(); at += 100'000) {
    const base::Bytes pieces[] = {piece(at, 1), piece(at + 1, 59'999), piece(at + 60'000, 40'000)};
    relay_->deliver(std::span<const base::Bytes>(pieces));
  }
  relay_->finish();
  EXPECT_EQ(peer_reads_to_end(), text);
  EXPECT_EQ(relay_->bytes_written(), text.size());
}

TEST_F(RelayTest, ends_at_the_end_of_the_socket_after_a_last_flush) {
  relay_->deliver(base::as_bytes("last words"));
  tasks_.spawn("half close", half_close(*peer_));
  EXPECT_EQ(peer_reads_to_end(), "last words");
  EXPECT_EQ(read_end_, Relay::ReadEnd::eof);
}

TEST_F(RelayTest, ends_at_once_when_its_reader_is_too_slow) {
  relay_->deliver(base::as_bytes(pattern(3'000'000)));
  poll();
  relay_->on_overload("too slow");
  poll();
  EXPECT_TRUE(ended_);
  EXPECT_TRUE(relay_->overloaded());
  EXPECT_EQ(relay_->failure(), "too slow");
  EXPECT_EQ(relay_->backlog(), 0u);
}

TEST_F(RelayTest, is_ended_when_nobody_takes_its_last_bytes) {
  relay_->deliver(base::as_bytes(pattern(3'000'000)));
  relay_->finish();
  poll();
  for (async::Duration t{0}; t <= 2 * StallWatch::kPatience; t += StallWatch::kTick) {
    clock_.advance(StallWatch::kTick);
    watch_.tick();
    poll();
  }
  EXPECT_TRUE(ended_);
  EXPECT_TRUE(relay_->overloaded());
}

TEST_F(RelayTest, is_ended_when_nobody_takes_the_last_bytes_of_a_peer_that_has_gone) {
  fill_link();
  peer_->close();
  clock_.advance(kDeparture - std::chrono::seconds(1));
  poll();
  EXPECT_FALSE(ended_);
  clock_.advance(std::chrono::seconds(1));
  poll();
  EXPECT_TRUE(ended_);
  EXPECT_TRUE(relay_->overloaded());
}

TEST_F(RelayTest, waits_for_room_as_long_as_the_peer_is_there) {
  fill_link();
  clock_.advance(10 * kDeparture);
  poll();
  EXPECT_FALSE(ended_);
  peer_->close();
  poll();
  EXPECT_TRUE(ended_);
}

TEST_F(RelayTest, carries_the_last_bytes_of_a_peer_that_has_gone_while_anybody_takes_them) {
  fill_link();
  peer_->close();
  clock_.advance(kDeparture - std::chrono::seconds(1));
  poll();
  pair_.far_hold(false);
  const std::string all = heard() + heard();
  EXPECT_EQ(all, pattern(8'000'000).substr(0, all.size()));
  EXPECT_FALSE(relay_->overloaded());
  EXPECT_EQ(read_end_, Relay::ReadEnd::eof);
}

TEST_F(RelayTest, goes_on_without_its_flow) {
  relay_->deliver(base::as_bytes("still comes"));
  relay_->leave();
  EXPECT_EQ(peer_reads_to_end(), "still comes");
}

TEST_F(LingeringRelayTest, serves_a_peer_that_only_reads_until_it_is_silent) {
  tasks_.spawn("half close", half_close(*peer_));
  poll();
  EXPECT_EQ(read_end_, Relay::ReadEnd::half_closed);
  relay_->deliver(base::as_bytes("late "));
  poll();
  clock_.advance(std::chrono::seconds(10));
  poll();
  EXPECT_FALSE(ended_);
  relay_->deliver(base::as_bytes("answer"));
  poll();
  clock_.advance(std::chrono::seconds(10));
  poll();
  clock_.advance(std::chrono::seconds(10));
  poll();
  EXPECT_TRUE(ended_);
  EXPECT_EQ(peer_reads_to_end(), "late answer");
}

TEST_F(LingeringRelayTest, ends_at_once_when_the_peer_has_gone) {
  peer_->close();
  poll();
  EXPECT_TRUE(ended_);
}

}  // namespace
}  // namespace tunnel
