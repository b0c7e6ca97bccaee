#include "app/settle.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "async/task_group.h"

namespace app {
namespace {

/// Pages of files in this process.
long shared_pages() {
  std::ifstream file("/proc/self/statm");
  long size = 0, resident = 0, shared = 0;
  file >> size >> resident >> shared;
  return shared;
}

TEST(Settle, gives_pages_of_the_program_back_some_time_after_the_start) {
  async::Loop loop(1);
  async::ManualClock clock(loop.get_executor());
  async::TaskGroup tasks(loop.get_executor());
  tasks.spawn("settle", settle(clock));
  loop.poll();
  const long at_start = shared_pages();
  clock.advance(std::chrono::minutes(1));
  loop.restart();
  loop.poll();
  EXPECT_LT(shared_pages(), at_start / 2);
  tasks.cancel();
  loop.restart();
  loop.poll();
}

using namespace std::chrono_literals;

TEST(PauseWatch, is_due_at_the_first_look) {
  PauseWatch watch;
  EXPECT_TRUE(watch.look({5s, 0}));
}

TEST(PauseWatch, is_not_due_again_without_work) {
  PauseWatch watch;
  watch.look({5s, 0});
  EXPECT_FALSE(watch.look({5s + 10ms, 100}));
  EXPECT_FALSE(watch.look({5s + 20ms, 0}));
}

TEST(PauseWatch, waits_for_the_pause_after_work) {
  PauseWatch watch;
  watch.look({1s, 0});
  EXPECT_FALSE(watch.look({4s, 0}));
  EXPECT_FALSE(watch.look({9s, 0}));
  EXPECT_TRUE(watch.look({9s + 50ms, 0}));
  EXPECT_FALSE(watch.look({9s + 60ms, 0}));
}

TEST(PauseWatch, adds_up_work_that_comes_in_drops) {
  PauseWatch watch;
  watch.look({1s, 0});
  EXPECT_FALSE(watch.look({1s + 150ms, 0}));
  EXPECT_TRUE(watch.look({1s + 300ms, 0}));
}

TEST(PauseWatch, is_due_again_when_much_is_freed_without_work) {
  PauseWatch watch;
  watch.look({1s, 0});
  EXPECT_FALSE(watch.look({1s + 1ms, PauseWatch::kFreed - 1}));
  EXPECT_TRUE(watch.look({1s + 2ms, PauseWatch::kFreed}));
  EXPECT_FALSE(watch.look({1s + 3ms, PauseWatch::kFreed}));
}

}  // namespace
}  // namespace app
