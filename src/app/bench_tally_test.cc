#include "app/bench_tally.h"

#include <gtest/gtest.h>

namespace app {
namespace {

using namespace std::chrono_literals;

TEST(BenchTally, tells_percentiles) {
  BenchTally tally;
  EXPECT_EQ(tally.percentiles(), "none");
  for (int i = 1; i <= 100; ++i) tally.took(i * 1ms);
  EXPECT_EQ(tally.percentiles(), "p50 51.00 ms  p90 91.00 ms  p99 100.00 ms  max 100.00 ms");
  EXPECT_EQ(tally.percentiles(99), "p50 100.00 ms  p90 100.00 ms  p99 100.00 ms  max 100.00 ms");
}

TEST(BenchTally, tells_of_what_was_still_awaited_when_it_took_longest) {
  BenchTally tally;
  tally.unanswered(900ms);
  EXPECT_EQ(tally.awaited(), "");
  tally.took(10ms);
  EXPECT_EQ(tally.awaited(), "  one unanswered for 900 ms");
  tally.took(1s);
  EXPECT_EQ(tally.awaited(), "");
}

TEST(BenchTally, keeps_the_first_failure) {
  BenchTally tally;
  tally.failed({base::Code::io, "first"});
  tally.failed({base::Code::io, "second"});
  EXPECT_EQ(tally.failures(), 2U);
  EXPECT_EQ(tally.first_failure()->message, "first");
}

TEST(BenchTally, scales_what_it_says) {
  EXPECT_EQ(bit_rate(125'000'000, 1s), "1.00 Gbit/s");
  EXPECT_EQ(bit_rate(125'000'000, 2s), "500.00 Mbit/s");
  EXPECT_EQ(bit_rate(1, 0s), "0.00 bit/s");
  EXPECT_EQ(amount(999), "999.00 B");
}

}  // namespace
}  // namespace app
