#include "http/connection_window.h"

#include <gtest/gtest.h>

namespace http {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kLeast = ConnectionWindow::kLeast;
constexpr std::uint32_t kRoomy = ConnectionWindow::kRoomy;

class ConnectionWindowTest : public ::testing::Test {
 protected:
  // A sender that `window` limits, on a path that was measured: each round trip brings as much.
  void hurry(int rounds, async::Duration path) {
    while (rounds-- > 0) {
      now += path;
      window.arrived(now, size_with_interactive());
    }
  }
  std::uint32_t size_with_interactive() {
    window.interactive(now);
    return window.size(now);
  }

  ConnectionWindow window{64 << 20};
  async::TimePoint now{std::chrono::hours(1)};
};

TEST_F(ConnectionWindowTest, is_roomy_while_nobody_says_little) {
  EXPECT_EQ(window.size(now), kRoomy);
}

TEST_F(ConnectionWindowTest, is_small_until_a_while_after_somebody_said_little) {
  window.interactive(now);
  EXPECT_EQ(window.size(now), kLeast);
  EXPECT_EQ(window.size(now + ConnectionWindow::kPresence - 1ns), kLeast);
  EXPECT_EQ(window.size(now + ConnectionWindow::kPresence), kRoomy);
}

TEST_F(ConnectionWindowTest, follows_a_long_path) {
  window.measured(now, 100ms);
  hurry(4, 100ms);
  EXPECT_EQ(size_with_interactive(), 8 * kLeast);
}

TEST_F(ConnectionWindowTest, is_never_larger_than_the_largest) {
  window.measured(now, 100ms);
  hurry(100, 100ms);
  EXPECT_EQ(size_with_interactive(), 64u << 20);
  ConnectionWindow little{100'000};
  EXPECT_EQ(little.size(now), 100'000u);
}

TEST_F(ConnectionWindowTest, stays_where_the_path_is_too_short_to_be_one) {
  window.measured(now, 499us);
  hurry(100, 5ms);
  EXPECT_EQ(size_with_interactive(), kLeast);
}

TEST_F(ConnectionWindowTest, stays_where_the_length_of_the_path_is_not_known) {
  hurry(100, 100ms);
  EXPECT_EQ(size_with_interactive(), kLeast);
}

TEST_F(ConnectionWindowTest, stays_where_less_than_a_third_of_it_comes_in_a_round_trip) {
  window.measured(now, 10ms);
  for (int i = 0; i < 100; ++i) {
    now += 10ms;
    window.arrived(now, kLeast / 4);
  }
  EXPECT_EQ(size_with_interactive(), kLeast);
}

// The blocks that one look at a socket finds come at once, whatever the path takes.
TEST_F(ConnectionWindowTest, takes_no_burst_for_the_rate) {
  window.measured(now, 2ms);
  window.arrived(now, 0);
  for (int i = 0; i < 100; ++i) {
    now += 100ms;
    for (int block = 0; block < 4; ++block) window.arrived(now, kLeast / 4);
  }
  EXPECT_EQ(size_with_interactive(), kLeast);
}

TEST_F(ConnectionWindowTest, takes_no_queue_for_a_longer_path) {
  window.measured(now, 1ms);
  for (int i = 0; i < 100; ++i) {
    now += 1s;
    window.measured(now, 500ms);
    window.arrived(now, std::size_t{10} * kLeast);
  }
  EXPECT_EQ(size_with_interactive(), kLeast);
}

TEST_F(ConnectionWindowTest, learns_that_the_path_has_become_longer) {
  window.measured(now, 1ms);
  for (async::Duration passed{0}; passed <= 2 * ConnectionWindow::kMemory; passed += 1s) {
    now += 1s;
    window.measured(now, 100ms);
  }
  hurry(2, 100ms);
  EXPECT_GT(size_with_interactive(), kLeast);
}

TEST_F(ConnectionWindowTest, forgets_what_a_measurement_that_had_to_wait_made_of_it) {
  window.measured(now, 100ms);
  hurry(4, 100ms);
  ASSERT_GT(size_with_interactive(), kLeast);
  window.measured(now, 51ms);
  EXPECT_GT(size_with_interactive(), kLeast);
  window.measured(now, 1ms);
  EXPECT_EQ(size_with_interactive(), kLeast);
}

}  // namespace
}  // namespace http
