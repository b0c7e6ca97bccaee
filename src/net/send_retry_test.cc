#include "net/send_retry.h"

#include <gtest/gtest.h>

namespace net {
namespace {

using namespace std::chrono_literals;

TEST(SendRetry, waits_for_the_report_on_a_short_path) {
  SendRetry retry;
  EXPECT_EQ(retry.next(0us), std::nullopt);
  EXPECT_EQ(retry.next(3999us), std::nullopt);
}

TEST(SendRetry, offers_every_millisecond_on_a_long_path) {
  SendRetry retry;
  EXPECT_EQ(retry.next(4ms), 1ms);
  EXPECT_EQ(retry.next(4ms), 1ms);
}

TEST(SendRetry, waits_for_the_report_when_nothing_was_taken_for_two_round_trips) {
  SendRetry retry;
  for (int offers = 0; offers < 10; ++offers) EXPECT_EQ(retry.next(5ms), 1ms);
  EXPECT_EQ(retry.next(5ms), std::nullopt);
  EXPECT_EQ(retry.next(5ms), std::nullopt);
}

TEST(SendRetry, offers_again_after_bytes_were_taken) {
  SendRetry retry;
  while (retry.next(5ms)) {
  }
  retry.taken();
  EXPECT_EQ(retry.next(5ms), 1ms);
}

}  // namespace
}  // namespace net
