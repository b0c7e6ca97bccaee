#include "tunnel/stall_watch.h"

#include <gtest/gtest.h>

namespace tunnel {
namespace {

class Reader : public Sink {
 public:
  std::size_t backlog() const override { return waiting; }
  std::uint64_t taken() const override { return took; }
  void on_overload(const std::string& reason) override { ended = reason; }
  std::uint64_t took = 0;
  std::size_t waiting = 100;
  std::string ended;
};

class StallWatchTest : public ::testing::Test {
 protected:
  void pass(async::Duration time) {
    for (async::Duration t{0}; t < time; t += StallWatch::kTick) {
      clock_.advance(StallWatch::kTick);
      watch_.tick();
    }
  }
  async::Loop loop_;
  async::ManualClock clock_{loop_.get_executor()};
  StallWatch watch_{clock_};
  Reader reader_;
};

TEST_F(StallWatchTest, ends_a_connection_whose_last_bytes_nobody_takes) {
  watch_.add(reader_);
  pass(StallWatch::kPatience - StallWatch::kTick);
  EXPECT_EQ(reader_.ended, "");
  pass(StallWatch::kTick);
  EXPECT_NE(reader_.ended, "");
}

TEST_F(StallWatchTest, waits_while_anything_moves) {
  watch_.add(reader_);
  for (int i = 0; i < 10; ++i) {
    ++reader_.took;
    pass(StallWatch::kPatience - StallWatch::kTick);
  }
  EXPECT_EQ(reader_.ended, "");
}

TEST_F(StallWatchTest, forgets_a_connection_that_has_ended) {
  watch_.add(reader_);
  watch_.remove(reader_);
  pass(2 * StallWatch::kPatience);
  EXPECT_EQ(reader_.ended, "");
}

}  // namespace
}  // namespace tunnel
