#include "async/busy_poll.h"

#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

namespace async {
namespace {

using std::chrono::microseconds;

constexpr TimePoint kNow{std::chrono::hours(1)};

TEST(BusyPollTest, looks_only_after_work_came_soon) {
  BusyPoll busy(microseconds(100));
  EXPECT_EQ(busy.patience(kNow), Duration::zero());
  busy.paused(microseconds(99));
  EXPECT_EQ(busy.patience(kNow), microseconds(100));
  busy.paused(microseconds(100));
  EXPECT_EQ(busy.patience(kNow), Duration::zero());
}

TEST(BusyPollTest, never_looks_when_off) {
  BusyPoll busy(Duration::zero());
  busy.paused(Duration::zero());
  EXPECT_EQ(busy.patience(kNow), Duration::zero());
}

TEST(BusyPollTest, sleeps_between_the_blocks_of_a_bulk_transfer) {
  BusyPoll busy(microseconds(100));
  busy.paused(microseconds(1));
  busy.worked(4096);
  EXPECT_EQ(busy.patience(kNow), microseconds(100));
  busy.worked(4097);
  EXPECT_EQ(busy.patience(kNow), Duration::zero());
  busy.worked(0);
  EXPECT_EQ(busy.patience(kNow), microseconds(100));
}

TEST(BusyPollTest, sleeps_for_a_while_where_others_want_the_core) {
  BusyPoll busy(microseconds(100));
  busy.paused(microseconds(1));
  busy.looked(kNow, microseconds(500));
  EXPECT_EQ(busy.patience(kNow), microseconds(100));
  busy.looked(kNow, microseconds(501));
  EXPECT_EQ(busy.patience(kNow), Duration::zero());
  EXPECT_EQ(busy.patience(kNow + std::chrono::milliseconds(100)), microseconds(100));
}

TEST(BusyPollTest, a_loop_runs_what_comes_from_elsewhere_and_ends_when_stopped) {
  for (const Duration limit : {Duration::zero(), Duration(microseconds(100))}) {
    Loop loop(1);
    const asio::executor_work_guard<Loop::executor_type> work(loop.get_executor());
    int ran = 0;
    std::jthread thread([&] { run_loop(loop, limit); });
    for (int i = 0; i < 1000; ++i) asio::post(loop, [&] { ++ran; });
    asio::post(loop, [&] { loop.stop(); });
    thread.join();
    EXPECT_EQ(ran, 1000);
  }
}

TEST(BusyPollTest, a_loop_without_work_ends) {
  Loop loop(1);
  bool ran = false;
  asio::post(loop, [&] { ran = true; });
  run_loop(loop, microseconds(100));
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace async
