#include "tunnel/server/handover.h"

#include <gtest/gtest.h>

#include "async/task_group.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;

class Handover : public ::testing::Test {
 protected:
  ~Handover() override {
    tasks_.cancel();
    poll();
  }
  void begin(async::Duration limit) {
    tasks_.spawn("wait", wait(*this, limit));
    poll();
  }
  static async::Task<void> wait(Handover& test, async::Duration limit) {
    CO_TRY_VOID(co_await agents_have_come(test.clock_, limit, [&test] { return test.agents_; }));
    test.over_ = true;
    co_return base::Result<void>{};
  }
  void poll() {
    loop_.restart();
    loop_.poll();
  }
  void pass(async::Duration time) {
    for (; time > 0s; time -= 20ms) {
      clock_.advance(20ms);
      poll();
    }
  }

  async::Loop loop_{1};
  async::ManualClock clock_{loop_.get_executor()};
  std::size_t agents_ = 0;
  bool over_ = false;
  async::TaskGroup tasks_{loop_.get_executor()};
};

TEST_F(Handover, nobody_waits_without_one) {
  begin(0s);
  EXPECT_TRUE(over_);
}

TEST_F(Handover, waits_for_agents_up_to_its_limit) {
  begin(4s);
  pass(3900ms);
  EXPECT_FALSE(over_);
  pass(120ms);
  EXPECT_TRUE(over_);
}

TEST_F(Handover, is_over_half_a_second_after_the_last_agent) {
  begin(4s);
  agents_ = 1;
  pass(400ms);
  agents_ = 2;
  pass(400ms);
  EXPECT_FALSE(over_);
  pass(140ms);
  EXPECT_TRUE(over_);
}

TEST_F(Handover, agents_that_keep_coming_do_not_prolong_it) {
  begin(4s);
  for (int i = 0; i < 10; ++i) {
    ++agents_;
    pass(400ms);
  }
  pass(20ms);
  EXPECT_TRUE(over_);
}

}  // namespace
}  // namespace tunnel
