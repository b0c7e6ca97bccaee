#include "tunnel/server/path_load.h"

#include <gtest/gtest.h>

#include "tunnel/native.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMega = 1'000'000;

// A link that carries `rate` bytes a second.
std::size_t wanted(std::uint64_t rate, async::Duration round_trip) {
  PathLoad load;
  const async::TimePoint start(1h);
  load.links_wanted(start, 0, round_trip);
  return load.links_wanted(start + 2s, 2 * rate, round_trip);
}

TEST(PathLoad, gives_a_link_for_each_part_of_a_long_path_that_is_filled) {
  EXPECT_EQ(wanted(40 * kMega, 50ms), 2u);
  EXPECT_EQ(wanted(40 * kMega, 100ms), 4u);
  EXPECT_EQ(wanted(20 * kMega, 200ms), 8u);
  EXPECT_EQ(wanted(20 * kMega, 400ms), native::kMostLinks);
}

TEST(PathLoad, leaves_one_link_where_little_is_under_way) {
  EXPECT_EQ(wanted(10 * kMega, 100ms), 1u);
  EXPECT_EQ(wanted(1000 * kMega, 1ms), 1u);
  EXPECT_EQ(wanted(0, 200ms), 1u);
}

TEST(PathLoad, leaves_one_link_where_the_path_is_short_or_not_known) {
  EXPECT_EQ(wanted(1000 * kMega, 20ms), 1u);
  EXPECT_EQ(wanted(1000 * kMega, 0ms), 1u);
}

TEST(PathLoad, counts_what_came_since_it_last_looked) {
  PathLoad load;
  const async::TimePoint start(1h);
  load.links_wanted(start, 0, 100ms);
  EXPECT_EQ(load.links_wanted(start + 5s, 200 * kMega, 100ms), 4u);
  EXPECT_EQ(load.links_wanted(start + 10s, 200 * kMega, 100ms), 1u);
}

TEST(PathLoad, looks_once_a_second) {
  PathLoad load;
  const async::TimePoint start(1h);
  load.links_wanted(start, 0, 100ms);
  EXPECT_EQ(load.links_wanted(start + 999ms, 100 * kMega, 100ms), 1u);
  EXPECT_EQ(load.links_wanted(start + 1000ms, 100 * kMega, 100ms), 4u);
}

}  // namespace
}  // namespace tunnel
