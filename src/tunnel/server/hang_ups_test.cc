#include "tunnel/server/hang_ups.h"

#include <gtest/gtest.h>

namespace tunnel {
namespace {

using namespace std::chrono_literals;

TEST(HangUps, are_told_once_in_five_minutes_for_each_source) {
  HangUps hang_ups;
  const async::TimePoint now{1h};
  EXPECT_TRUE(hang_ups.due("10.0.0.8:1000", now));
  EXPECT_FALSE(hang_ups.due("10.0.0.8:1001", now + 1s));
  EXPECT_TRUE(hang_ups.due("10.0.0.9:1000", now + 1s));
  EXPECT_TRUE(hang_ups.due("[fd00::1]:1000", now + 1s));
  EXPECT_FALSE(hang_ups.due("[fd00::1]:1001", now + 2s));
  EXPECT_FALSE(hang_ups.due("10.0.0.8:1002", now + 299s));
  EXPECT_TRUE(hang_ups.due("10.0.0.8:1003", now + 5min));
}

TEST(HangUps, forget_the_longest_silent_source_first) {
  HangUps hang_ups;
  const async::TimePoint now{1h};
  for (std::size_t i = 0; i <= HangUps::kSources; ++i)
    EXPECT_TRUE(hang_ups.due(std::to_string(i) + ":80", now));
  EXPECT_FALSE(hang_ups.due("1:80", now));
  EXPECT_TRUE(hang_ups.due("0:80", now));
}

}  // namespace
}  // namespace tunnel
