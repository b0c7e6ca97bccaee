#include "tunnel/congestion.h"

#include <gtest/gtest.h>

#include "tunnel/testing/call_pair.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;

class Reader : public Sink {
 public:
  std::size_t backlog() const override { return waiting; }
  std::uint64_t taken() const override { return took; }
  void on_overload(const std::string& reason) override {
    ended = reason;
    waiting = 0;
  }
  std::size_t waiting = 0;
  std::uint64_t took = 0;
  std::string ended;
};

constexpr std::size_t kLimit = 1 << 20;

class CongestionTest : public ::testing::Test {
 protected:
  std::unique_ptr<http::H2StreamHandler> make(http::H2Stream& stream) {
    auto call = std::make_unique<testing::NearCall>(stream);
    call_ = call.get();
    return call;
  }

  void deliver(Reader& reader, std::size_t bytes) {
    reader.waiting += bytes;
    congestion_.delivered(reader, bytes);
  }
  void take(Reader& reader, std::size_t bytes) {
    reader.waiting -= bytes;
    reader.took += bytes;
    congestion_.drained(reader);
  }
  void pass(async::Duration time) {
    for (async::Duration t{0}; t < time; t += Congestion::kTick) {
      clock_.advance(Congestion::kTick);
      congestion_.tick();
    }
  }

  async::Loop loop_;
  async::ManualClock clock_{loop_.get_executor()};
  testing::NearCall* call_ = nullptr;
  testing::CallPair pair_{[this](http::H2Stream& stream) { return make(stream); }};
  base::MemoryBudget budget_{8 << 20};
  bool crowded_ = false;
  Reader reader_, other_;
  Congestion congestion_{*call_, clock_, budget_, {.connection_limit = kLimit, .crowded = [this] {
                                                     return crowded_;
                                                   }}};
};

TEST_F(CongestionTest, tells_the_window_of_the_link_of_who_says_little_beside_bulk) {
  for (int i = 0; i < 20; ++i) {
    clock_.advance(10ms);
    deliver(reader_, 1 << 18);
    take(reader_, 1 << 18);
  }
  EXPECT_EQ(call_->interactive, 0);
  deliver(other_, 64);
  EXPECT_EQ(call_->interactive, 1);
}

TEST_F(CongestionTest, holds_the_link_from_the_limit_to_half_of_it) {
  deliver(reader_, kLimit);
  EXPECT_FALSE(call_->holding());
  deliver(reader_, 1);
  EXPECT_TRUE(call_->holding());
  take(reader_, kLimit / 4);
  EXPECT_TRUE(call_->holding());
  take(reader_, kLimit / 4 + 1);
  EXPECT_FALSE(call_->holding());
  EXPECT_FALSE(congestion_.active());
}

TEST_F(CongestionTest, ends_a_reader_that_takes_nothing_while_others_wait) {
  crowded_ = true;
  deliver(reader_, kLimit + 1);
  pass(800ms);
  EXPECT_EQ(reader_.ended, "");
  pass(400ms);
  EXPECT_NE(reader_.ended, "");
  EXPECT_FALSE(call_->holding());
}

TEST_F(CongestionTest, waits_for_a_reader_that_holds_up_nobody) {
  deliver(reader_, kLimit + 1);
  pass(60s);
  EXPECT_EQ(reader_.ended, "");
  EXPECT_TRUE(call_->holding());
}

TEST_F(CongestionTest, spares_a_reader_that_keeps_taking) {
  crowded_ = true;
  deliver(reader_, 4 * kLimit);
  for (int second = 0; second < 20; ++second) {
    take(reader_, Congestion::kProgress);
    pass(800ms);
  }
  EXPECT_EQ(reader_.ended, "");
}

TEST_F(CongestionTest, ends_the_stalled_reader_alone) {
  crowded_ = true;
  deliver(reader_, kLimit + 1);
  deliver(other_, 4 * kLimit);
  for (int second = 0; second < 3; ++second) {
    take(other_, Congestion::kProgress);
    pass(800ms);
  }
  EXPECT_NE(reader_.ended, "");
  EXPECT_EQ(other_.ended, "");
  EXPECT_TRUE(call_->holding());
}

TEST_F(CongestionTest, allows_little_when_the_process_has_no_memory_left) {
  budget_.add(9 << 20);
  deliver(reader_, Congestion::kLimitWithoutBudget + 1);
  EXPECT_TRUE(call_->holding());
}

TEST_F(CongestionTest, lets_the_link_go_when_the_slow_connection_ends) {
  deliver(reader_, kLimit + 1);
  congestion_.remove(reader_);
  EXPECT_FALSE(call_->holding());
}

TEST_F(CongestionTest, ends_a_stalled_reader_when_waiting_requests_cannot_be_seen) {
  Congestion blind(*call_, clock_, budget_,
                   {.connection_limit = kLimit, .crowded = [] { return false; }, .blind = true});
  reader_.waiting = kLimit + 1;
  blind.delivered(reader_, kLimit + 1);
  clock_.advance(Congestion::kPatience);
  blind.tick();
  EXPECT_NE(reader_.ended, "");
}

}  // namespace
}  // namespace tunnel
