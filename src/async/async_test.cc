#include <gtest/gtest.h>

#include "async/backoff.h"
#include "async/clock.h"
#include "async/task_group.h"
#include "async/testing/run.h"
#include "async/timeout.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using base::Code;

Task<void> wait_for(Event& event, bool& flag, int& woken) {
  while (!flag) CO_TRY_VOID(co_await event.wait());
  ++woken;
  co_return base::Result<void>{};
}

Task<void> sleep_then_count(Clock& clock, Duration duration, int& count) {
  CO_TRY_VOID(co_await clock.sleep_for(duration));
  ++count;
  co_return base::Result<void>{};
}

Task<void> join(TaskGroup& group) {
  co_await group.join();
  co_return base::Result<void>{};
}

TEST(Event, wakes_all_that_wait) {
  Loop loop;
  Event event(loop.get_executor());
  TaskGroup group(loop.get_executor());
  bool flag = false;
  int woken = 0;
  group.spawn("a", wait_for(event, flag, woken));
  group.spawn("b", wait_for(event, flag, woken));
  loop.poll();
  EXPECT_EQ(woken, 0);
  flag = true;
  event.notify_all();
  loop.poll();
  EXPECT_EQ(woken, 2);
  EXPECT_TRUE(group.empty());
}

TEST(TaskGroup, ends_its_tasks_when_cancelled) {
  Loop loop;
  SystemClock clock;
  TaskGroup group(loop.get_executor());
  int count = 0;
  group.spawn("a", sleep_then_count(clock, 1h, count));
  group.spawn("b", sleep_then_count(clock, 1h, count));
  loop.poll();
  EXPECT_EQ(group.size(), 2u);
  group.cancel();
  ASSERT_TRUE(testing::run(loop, join(group)));
  EXPECT_EQ(count, 0);
}

TEST(TaskGroup, may_be_cancelled_from_outside_while_its_tasks_are_ending) {
  Loop loop;
  ManualClock clock(loop.get_executor());
  TaskGroup group(loop.get_executor());
  int count = 0;
  group.spawn("a", sleep_then_count(clock, 1s, count));
  loop.poll();
  clock.advance(1s);  // its end waits in the loop
  group.cancel();
  ASSERT_TRUE(testing::run(loop, join(group)));
}

TEST(TaskGroup, takes_no_task_after_cancel) {
  Loop loop;
  SystemClock clock;
  TaskGroup group(loop.get_executor());
  int count = 0;
  group.cancel();
  group.spawn("late", sleep_then_count(clock, 0s, count));
  loop.poll();
  EXPECT_TRUE(group.empty());
}

TEST(ManualClock, lets_sleepers_go_when_their_time_comes) {
  Loop loop;
  ManualClock clock(loop.get_executor());
  TaskGroup group(loop.get_executor());
  int count = 0;
  group.spawn("a", sleep_then_count(clock, 10s, count));
  loop.poll();
  clock.advance(9s);
  loop.restart();
  loop.poll();
  EXPECT_EQ(count, 0);
  clock.advance(1s);
  loop.restart();
  loop.poll();
  EXPECT_EQ(count, 1);
}

Task<void> wait_once(Clock& clock, Event& event, TimePoint until, int& count) {
  CO_TRY_VOID(co_await clock.wait(event, until));
  ++count;
  co_return base::Result<void>{};
}

TEST(Clock, ends_a_wait_with_the_event_or_the_time) {
  Loop loop;
  ManualClock clock(loop.get_executor());
  Event event(loop.get_executor());
  TaskGroup group(loop.get_executor());
  int count = 0;
  group.spawn("a", wait_once(clock, event, clock.now() + 5s, count));
  loop.poll();
  EXPECT_EQ(count, 0);
  event.notify_all();
  loop.restart();
  loop.poll();
  EXPECT_EQ(count, 1);
  group.spawn("b", wait_once(clock, event, clock.now() + 5s, count));
  loop.restart();
  loop.poll();
  EXPECT_EQ(count, 1);
  clock.advance(5s);
  loop.restart();
  loop.poll();
  EXPECT_EQ(count, 2);
}

TEST(Clock, of_the_system_ends_waits_and_leaves_the_event_as_it_was) {
  Loop loop;
  SystemClock clock;
  Event event(loop.get_executor());
  int count = 0;
  ASSERT_TRUE(testing::run(loop, wait_once(clock, event, clock.now() + 1ms, count)));
  EXPECT_EQ(count, 1);
  TaskGroup group(loop.get_executor());
  bool flag = true;
  int woken = 0;
  group.spawn("c", wait_once(clock, event, TimePoint::max(), count));
  loop.restart();
  loop.poll();
  EXPECT_EQ(count, 1);
  event.notify_all();
  ASSERT_TRUE(testing::run(loop, join(group)));
  EXPECT_EQ(count, 2);
  ASSERT_TRUE(testing::run(loop, wait_for(event, flag, woken)));
  EXPECT_EQ(woken, 1);
}

TEST(WithTimeout, says_what_took_too_long) {
  Loop loop;
  ManualClock clock(loop.get_executor());
  TaskGroup group(loop.get_executor());
  std::optional<base::Result<void>> result;
  auto attempt = [](ManualClock& time, std::optional<base::Result<void>>& out) -> Task<void> {
    out = co_await with_timeout(time, 5s, "dial c1", time.sleep_for(1h));
    co_return base::Result<void>{};
  };
  group.spawn("t", attempt(clock, result));
  loop.poll();
  clock.advance(5s);
  loop.restart();
  loop.poll();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->error().code, Code::timeout);
  EXPECT_EQ(result->error().message, "dial c1: timed out after 5s");
}

TEST(Backoff, grows_to_its_cap_and_resets) {
  Backoff backoff({.initial = 1s, .cap = 2s, .factor = 1.5, .jitter = 0});
  EXPECT_EQ(backoff.next(), 1s);
  EXPECT_EQ(backoff.next(), 1500ms);
  EXPECT_EQ(backoff.next(), 2s);
  EXPECT_EQ(backoff.next(), 2s);
  backoff.reset();
  EXPECT_EQ(backoff.next(), 1s);
}

TEST(Backoff, adds_at_most_its_jitter) {
  for (int i = 0; i < 100; ++i) {
    const auto delay = jittered(10s, 0.1);
    EXPECT_GE(delay, 10s);
    EXPECT_LT(delay, 11s);
  }
}

}  // namespace
}  // namespace async
