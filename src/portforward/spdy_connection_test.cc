#include "portforward/spdy_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/task_group.h"
#include "net/testing/memory_stream.h"
#include "portforward/testing/fake_pod.h"
#include "portforward/testing/loop_test.h"
#include "portforward/tunnel.h"

namespace portforward {
namespace {

using ::testing::HasSubstr;

class SpdyConnectionTest : public testing::LoopTest {
 protected:
  SpdyConnectionTest() : pod_(loop_.get_executor(), cable_.second()) {
    tasks_.spawn("connection", serve());
  }
  async::Task<void> serve() {
    auto ended = co_await connection_.run("");
    reason_ = ended.error().message;
    co_return base::Result<void>{};
  }
  StreamPair open() {
    auto pair = finish(open_pair(connection_, 8091, request_++));
    EXPECT_TRUE(pair) << pair.error().message;
    return pair ? std::move(*pair) : StreamPair{};
  }
  std::string read(SpdyStream& stream) {
    auto block = finish(stream.read());
    return block ? std::string(base::as_text(block->bytes())) : "error: " + block.error().message;
  }

  net::testing::Cable cable_{loop_.get_executor(), 64 * 1024};
  testing::FakePod pod_;
  SpdyConnection connection_{loop_.get_executor(),
                             clock_,
                             cable_.first(),
                             {.window = 64 * 1024, .on_stall = [this] { ++stalls_; }}};
  std::uint64_t request_ = 0;
  int stalls_ = 0;
  std::string reason_;
};

TEST_F(SpdyConnectionTest, opens_the_streams_of_port_forwarding) {
  const auto pair = open();
  const auto error = pod_.find("error");
  const auto data = pod_.find("data");
  EXPECT_EQ(error, 1U);
  EXPECT_EQ(data, 3U);
  EXPECT_EQ(testing::header(pod_.streams[data].headers, "port"), "8091");
  EXPECT_TRUE(eventually([&] { return pod_.streams[error].ended; }));
  EXPECT_FALSE(pod_.streams[data].ended);
  EXPECT_EQ(pod_.announced_window, 64U * 1024);
}

TEST_F(SpdyConnectionTest, waits_for_the_reply_since_servers_drop_what_comes_before) {
  pod_.replies = false;
  bool opened = false;
  tasks_.spawn("open", [](SpdyConnection& connection, bool& done) -> async::Task<void> {
    CO_TRY(auto pair, co_await open_pair(connection, 1, 0));
    done = true;
    co_return base::Result<void>{};
  }(connection_, opened));
  EXPECT_TRUE(eventually([&] { return pod_.streams.size() == 2; }));
  EXPECT_FALSE(opened);
  pod_.reply(1);
  pod_.reply(3);
  EXPECT_TRUE(eventually([&] { return opened; }));
}

TEST_F(SpdyConnectionTest, carries_bytes_both_ways_and_each_end) {
  pod_.echoes = true;
  const auto pair = open();
  ASSERT_TRUE(finish(pair.data->write(base::as_bytes("hello"))));
  EXPECT_EQ(read(*pair.data), "hello");
  pair.data->finish();
  EXPECT_EQ(read(*pair.data), "");
  EXPECT_EQ(connection_.streams(), 1U);  // the error stream
}

TEST_F(SpdyConnectionTest, tells_a_reset_after_what_came_before) {
  const auto pair = open();
  const auto data = pod_.find("data");
  pod_.send(data, "last words");
  pod_.write(SpdyEncoder::reset(data, SpdyStatus::internal_error));
  EXPECT_EQ(read(*pair.data), "last words");
  EXPECT_THAT(read(*pair.data), HasSubstr("internal error"));
  EXPECT_FALSE(finish(pair.data->write(base::as_bytes("x"))));
}

TEST_F(SpdyConnectionTest, resets_streams_that_are_given_up) {
  {
    const auto pair = open();
  }
  EXPECT_TRUE(eventually([&] { return pod_.streams[3].reset == 5U; }));
  EXPECT_EQ(connection_.streams(), 0U);
}

TEST_F(SpdyConnectionTest, answers_pings_and_sends_its_own) {
  pod_.write(SpdyEncoder::ping(2));
  EXPECT_TRUE(eventually([&] { return pod_.pongs == 1; }));
}

TEST_F(SpdyConnectionTest, ends_when_pings_stay_unanswered) {
  pod_.answers_pings = false;
  const auto pair = open();
  EXPECT_TRUE(eventually([&] { return !reason_.empty(); }));
  EXPECT_THAT(reason_, HasSubstr("answered no ping for 30 s"));
  EXPECT_THAT(read(*pair.data), HasSubstr("answered no ping"));
  EXPECT_FALSE(connection_.usable());
}

TEST_F(SpdyConnectionTest, opens_nothing_more_when_the_peer_goes_away) {
  const auto pair = open();
  pod_.write(SpdyEncoder::go_away(3));
  EXPECT_TRUE(eventually([&] { return !connection_.usable(); }));
  pod_.send(pod_.find("data"), "still here");
  EXPECT_EQ(read(*pair.data), "still here");
  EXPECT_FALSE(finish(open_pair(connection_, 1, 9)));
}

TEST_F(SpdyConnectionTest, loses_all_streams_with_the_connection) {
  const auto pair = open();
  cable_.cut();
  EXPECT_THAT(read(*pair.data), HasSubstr("error"));
  EXPECT_TRUE(eventually([&] { return !reason_.empty(); }));
}

// --- windows -----------------------------------------------------------------------------------

TEST_F(SpdyConnectionTest, sends_without_bound_to_a_peer_that_knows_no_windows) {
  const auto pair = open();
  const std::string much(300 * 1024, 'x');
  ASSERT_TRUE(finish(pair.data->write(base::as_bytes(much))));
  EXPECT_TRUE(eventually([&] { return pod_.streams[3].received.size() == much.size(); }));
}

TEST_F(SpdyConnectionTest, keeps_to_the_windows_of_a_peer_that_has_some) {
  pod_.write(SpdyEncoder::settings_initial_window(1000));
  const auto pair = open();
  bool written = false;
  tasks_.spawn("write", [](SpdyStream& stream, bool& done) -> async::Task<void> {
    const std::string text(1500, 'x');
    CO_TRY_VOID(co_await stream.write(base::as_bytes(text)));
    done = true;
    co_return base::Result<void>{};
  }(*pair.data, written));
  EXPECT_TRUE(eventually([&] { return pod_.streams[3].received.size() == 1000; }));
  EXPECT_FALSE(written);
  pod_.write(SpdyEncoder::window_update(3, 500));
  EXPECT_TRUE(eventually([&] { return pod_.streams[3].received.size() == 1500; }));
}

TEST_F(SpdyConnectionTest, returns_the_window_as_bytes_are_taken) {
  const auto pair = open();
  for (int i = 0; i < 4; ++i) {
    pod_.send(3, std::string(16 * 1024, 'x'));
    for (std::size_t got = 0; got < 16 * 1024;) got += read(*pair.data).size();
  }
  EXPECT_TRUE(eventually([&] { return pod_.window_updates == 2; }));
}

TEST_F(SpdyConnectionTest, stops_reading_for_a_slow_reader_and_goes_on_with_it) {
  const auto pair = open();
  const std::string much(1024 * 1024, 'x');
  pod_.send(3, much);
  EXPECT_TRUE(eventually([&] { return connection_.congested(); }));
  EXPECT_GT(pod_.unsent(), 0U);
  std::size_t got = 0;
  while (got < much.size()) got += read(*pair.data).size();
  EXPECT_TRUE(eventually([&] { return !connection_.congested(); }));
  EXPECT_EQ(stalls_, 0);
}

TEST_F(SpdyConnectionTest, resets_a_reader_that_takes_nothing_while_others_wait) {
  const auto stalled = open();
  const auto busy = open();
  pod_.send(3, std::string(1024 * 1024, 'x'));
  pod_.send(pod_.find("data", "1"), "for the other");
  EXPECT_EQ(read(*busy.data), "for the other");
  EXPECT_EQ(stalls_, 1);
  EXPECT_TRUE(stalled.data->lost());
  EXPECT_THAT(stalled.data->lost()->message, HasSubstr("takes nothing"));
}

}  // namespace
}  // namespace portforward
