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
  EXPECT_TRUE(tasks.empty());
  EXPECT_LT(shared_pages(), at_start / 2);
}

}  // namespace
}  // namespace app
