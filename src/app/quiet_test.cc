#include "app/quiet.h"

#include <gtest/gtest.h>

#include "async/task_group.h"

namespace app {
namespace {

using namespace std::chrono_literals;

class UntilQuiet : public ::testing::Test {
 protected:
  UntilQuiet() {
    tasks_.spawn("wait", wait(*this));
    poll();
  }
  ~UntilQuiet() override {
    tasks_.cancel();
    poll();
  }
  static async::Task<void> wait(UntilQuiet& test) {
    CO_TRY_VOID(co_await until_quiet(test.clock_, [&test] { return test.busy_; }));
    test.quiet_ = true;
    co_return base::Result<void>{};
  }
  void poll() {
    loop_.restart();
    loop_.poll();
  }
  void pass(async::Duration time) {
    for (; time > 0s; time -= 100ms) {
      clock_.advance(100ms);
      poll();
    }
  }

  async::Loop loop_{1};
  async::ManualClock clock_{loop_.get_executor()};
  bool busy_ = false;
  bool quiet_ = false;
  async::TaskGroup tasks_{loop_.get_executor()};
};

TEST_F(UntilQuiet, is_over_after_five_seconds_without_use) {
  pass(4900ms);
  EXPECT_FALSE(quiet_);
  pass(200ms);
  EXPECT_TRUE(quiet_);
}

TEST_F(UntilQuiet, goes_on_as_long_as_there_is_use) {
  busy_ = true;
  pass(60s);
  EXPECT_FALSE(quiet_);
  busy_ = false;
  pass(5100ms);
  EXPECT_TRUE(quiet_);
}

TEST_F(UntilQuiet, begins_anew_after_a_dial_that_came_late) {
  pass(4900ms);
  busy_ = true;
  pass(100ms);
  busy_ = false;
  pass(4900ms);
  EXPECT_FALSE(quiet_);
  pass(200ms);
  EXPECT_TRUE(quiet_);
}

}  // namespace
}  // namespace app
