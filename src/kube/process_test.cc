#include "kube/process.h"

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "async/testing/run.h"
#include "async/timeout.h"

namespace kube {
namespace {

base::Result<std::string> run(Command command) {
  async::Loop loop(1);
  return async::testing::run(loop, run_command(std::move(command)));
}

TEST(Process, gives_the_output) {
  const auto output =
      run({.program = "sh", .args = {"-c", "echo $GREETING; cat"}, .env = {{"GREETING", "hello"}}});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(*output, "hello\n");
}

TEST(Process, failures_say_what_happened) {
  EXPECT_EQ(run({.program = "sh", .args = {"-c", "exit 7"}}).error().message,
            "sh: it exited with code 7");
  EXPECT_EQ(run({.program = "sh", .args = {"-c", "kill -9 $$"}}).error().message,
            "sh: signal 9 ended it");
  const auto missing = run({.program = "/nonexistent/program"});
  EXPECT_TRUE(missing.error().is(base::Code::not_found)) << missing.error().message;
}

TEST(Process, flood_is_cut_off) {
  EXPECT_TRUE(run({.program = "yes"}).error().is(base::Code::exhausted));
}

TEST(Process, cancelling_kills_it) {
  async::Loop loop(1);
  async::ManualClock clock(loop.get_executor());
  clock.advance(std::chrono::hours(2));
  const auto ended = async::testing::run(
      loop, async::with_timeout(clock, std::chrono::seconds(0), "plugin",
                                run_command({.program = "sleep", .args = {"1000"}})));
  EXPECT_TRUE(ended.error().is(base::Code::timeout));
}

}  // namespace
}  // namespace kube
