#include "tunnel/server/occupancy.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "async/task_group.h"

namespace tunnel {
namespace {

class OccupancyTest : public ::testing::Test {
 protected:
  OccupancyTest() { tasks_.spawn("moments", moments_.run()); }
  ~OccupancyTest() override {
    clients_.clear();
    tasks_.cancel();
    poll();
  }
  void come(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      clients_.push_back(std::make_unique<Occupancy::Stay>(occupancy_, moments_));
    poll();
  }
  void pass(async::Duration time) {
    clock_.advance(time);
    poll();
  }
  void poll() {
    loop_.restart();
    loop_.poll();
  }

  async::Loop loop_{1};
  async::ManualClock clock_{loop_.get_executor()};
  DelayLine moments_{loop_.get_executor(), clock_, Occupancy::kMoment};
  Occupancy occupancy_;
  std::vector<std::unique_ptr<Occupancy::Stay>> clients_;
  async::TaskGroup tasks_{loop_.get_executor()};
};

TEST_F(OccupancyTest, knows_nothing_at_first) {
  EXPECT_FALSE(occupancy_.takes_more());
  EXPECT_EQ(occupancy_.fresh(), 0u);
  EXPECT_EQ(occupancy_.lingering(), 0u);
}

TEST_F(OccupancyTest, who_stays_for_more_than_a_moment_lingers) {
  come(3);
  pass(Occupancy::kMoment - std::chrono::milliseconds(1));
  come(2);
  EXPECT_EQ(occupancy_.fresh(), 5u);
  pass(std::chrono::milliseconds(1));
  EXPECT_EQ(occupancy_.fresh(), 2u);
  EXPECT_EQ(occupancy_.lingering(), 3u);
  clients_.clear();
  EXPECT_EQ(occupancy_.fresh() + occupancy_.lingering(), 0u);
}

TEST_F(OccupancyTest, takes_more_when_many_in_a_row_were_gone_in_a_moment) {
  come(10);
  clients_.clear();
  EXPECT_FALSE(occupancy_.takes_more());
  come(20);
  clients_.clear();
  EXPECT_TRUE(occupancy_.takes_more());
}

TEST_F(OccupancyTest, few_that_stayed_end_that) {
  come(50);
  clients_.clear();
  come(5);
  pass(Occupancy::kMoment);
  clients_.clear();
  EXPECT_FALSE(occupancy_.takes_more());
}

TEST_F(OccupancyTest, many_at_once_are_too_many) {
  come(31);
  clients_.clear();
  come(31);
  EXPECT_TRUE(occupancy_.takes_more());
  come(1);
  EXPECT_FALSE(occupancy_.takes_more());
}

}  // namespace
}  // namespace tunnel
