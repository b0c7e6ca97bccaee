#include "http/traffic.h"

#include <gtest/gtest.h>

namespace http {
namespace {

using namespace std::chrono_literals;

class TrafficTest : public ::testing::Test {
 protected:
  bool come(std::size_t count, async::Duration after) {
    now += after;
    return traffic.bulk(now, count);
  }

  Traffic traffic;
  async::TimePoint now{std::chrono::hours(1)};
};

TEST_F(TrafficTest, takes_a_newcomer_for_interactive) {
  EXPECT_FALSE(come(1, 0s));
  EXPECT_FALSE(come(Traffic::kMuch - 2, 1ms));
}

TEST_F(TrafficTest, calls_bulk_what_brings_much_soon) {
  come(1, 0s);
  EXPECT_FALSE(come(Traffic::kMuch - 1, 50ms));
  EXPECT_TRUE(come(1, 40ms));
  EXPECT_TRUE(come(1, 1ms));
}

TEST_F(TrafficTest, never_calls_bulk_who_says_little_though_for_long) {
  for (int i = 0; i < 10'000; ++i) EXPECT_FALSE(come(600, 1ms));
}

TEST_F(TrafficTest, forgets_bulk_that_has_ended) {
  come(1, 0s);
  ASSERT_TRUE(come(Traffic::kMuch, 1ms));
  EXPECT_FALSE(come(1, Traffic::kSoon));
  EXPECT_FALSE(come(1, 1ms));
}

}  // namespace
}  // namespace http
