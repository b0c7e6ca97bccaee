#include "kube/watch_state.h"

#include <gtest/gtest.h>

namespace kube {
namespace {

using Step = WatchState::Step;
using std::chrono::seconds;

class WatchStateTest : public ::testing::Test {
 protected:
  static Error gone() {
    Error error(base::Code::gone, "too old");
    error.http_status = 410;
    return error;
  }
  static Error refused() { return {base::Code::refused, "connection refused"}; }
  void fail(const Error& error) { state_.failed(error, now_); }

  async::TimePoint now_{std::chrono::hours(5)};
  WatchState state_{{.initial = seconds(1), .cap = seconds(4), .factor = 2, .jitter = 0}};
};

TEST_F(WatchStateTest, lists_from_the_cache_then_watches_from_there) {
  EXPECT_EQ(state_.step(), Step::list);
  EXPECT_EQ(state_.resource_version(), "0");
  state_.listed("10");
  EXPECT_EQ(state_.step(), Step::watch);
  EXPECT_EQ(state_.resource_version(), "10");
}

TEST_F(WatchStateTest, resumes_from_the_last_event_when_the_watch_ends) {
  state_.listed("10");
  state_.event("11");
  state_.event("");
  state_.ended(seconds(300));
  EXPECT_EQ(state_.step(), Step::watch);
  EXPECT_EQ(state_.resource_version(), "11");
  EXPECT_EQ(state_.pause(), seconds(0));
}

TEST_F(WatchStateTest, watch_that_ends_at_once_without_an_event_backs_off) {
  state_.listed("10");
  state_.ended(std::chrono::milliseconds(10));
  EXPECT_EQ(state_.pause(), seconds(1));
  state_.event("11");
  state_.ended(std::chrono::milliseconds(10));
  EXPECT_EQ(state_.pause(), seconds(0));
}

TEST_F(WatchStateTest, gone_means_list_again_at_the_last_version) {
  state_.listed("10");
  state_.event("11");
  fail(gone());
  EXPECT_EQ(state_.step(), Step::list);
  EXPECT_EQ(state_.resource_version(), "11");
  EXPECT_EQ(state_.pause(), seconds(0));
}

TEST_F(WatchStateTest, list_refused_as_gone_asks_for_the_newest_after_a_pause) {
  state_.listed("10");
  fail(gone());
  fail(gone());
  EXPECT_EQ(state_.step(), Step::list);
  EXPECT_EQ(state_.resource_version(), "");
  EXPECT_GT(state_.pause(), seconds(0));
}

TEST_F(WatchStateTest, server_that_went_back_in_time_is_listed_afresh) {
  fail(Error(base::Code::timeout, "Too large resource version: 99, current: 3"));
  EXPECT_EQ(state_.resource_version(), "");
}

TEST_F(WatchStateTest, failures_resume_with_growing_pauses) {
  state_.listed("10");
  fail(refused());
  EXPECT_EQ(state_.step(), Step::watch);
  EXPECT_EQ(state_.resource_version(), "10");
  EXPECT_EQ(state_.pause(), seconds(1));
  fail(refused());
  EXPECT_EQ(state_.pause(), seconds(2));
  fail(refused());
  fail(refused());
  EXPECT_EQ(state_.pause(), seconds(4));
}

TEST_F(WatchStateTest, two_quiet_minutes_forget_the_pauses) {
  fail(refused());
  fail(refused());
  now_ += std::chrono::minutes(3);
  fail(refused());
  EXPECT_EQ(state_.pause(), seconds(1));
}

TEST(WatchStateStream, streams_the_newest_state_until_that_is_refused) {
  WatchState state({.initial = seconds(1)}, true);
  EXPECT_EQ(state.step(), Step::stream);
  EXPECT_EQ(state.resource_version(), "");
  state.stream_refused();
  EXPECT_EQ(state.step(), Step::list);
  EXPECT_EQ(state.resource_version(), "0");
}

TEST(WatchStateStream, streams_again_at_the_last_version_when_history_is_lost) {
  WatchState state({.initial = seconds(1)}, true);
  state.listed("10");
  EXPECT_EQ(state.step(), Step::watch);
  state.failed(Error(base::Code::gone, "too old"), {});
  EXPECT_EQ(state.step(), Step::stream);
  EXPECT_EQ(state.resource_version(), "10");
}

}  // namespace
}  // namespace kube
