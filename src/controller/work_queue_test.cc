#include "controller/work_queue.h"

#include <vector>

#include <gtest/gtest.h>

#include "async/task_group.h"

namespace controller {
namespace {

using namespace std::chrono_literals;

class WorkQueueTest : public ::testing::Test {
 protected:
  /// Takes keys for as long as the test runs; each must be given back by done().
  async::Task<void> take_all() {
    for (;;) {
      CO_TRY(auto key, co_await queue_.next());
      taken_.push_back(key.name);
    }
  }
  void start_worker() { tasks_.spawn("worker", take_all()); }
  void settle() {
    loop_.restart();
    loop_.poll();
  }
  void advance(async::Duration by) {
    clock_.advance(by);
    settle();
  }
  void TearDown() override {
    tasks_.cancel();
    settle();
  }

  async::Loop loop_{1};
  async::ManualClock clock_{loop_.get_executor()};
  WorkQueue queue_{loop_, clock_};
  std::vector<std::string> taken_;
  async::TaskGroup tasks_{loop_.get_executor()};
};

using Names = std::vector<std::string>;

TEST_F(WorkQueueTest, gives_keys_in_their_order_and_each_once) {
  queue_.add({"", "a"});
  queue_.add({"", "b"});
  queue_.add({"", "a"});
  start_worker();
  settle();
  EXPECT_EQ(taken_, (Names{"a", "b"}));
}

TEST_F(WorkQueueTest, never_has_two_at_work_on_one_key) {
  queue_.add({"", "a"});
  start_worker();
  start_worker();
  settle();
  queue_.add({"", "a"});
  settle();
  EXPECT_EQ(taken_, Names{"a"});
  queue_.done({"", "a"});
  settle();
  EXPECT_EQ(taken_, (Names{"a", "a"}));
}

TEST_F(WorkQueueTest, holds_a_key_back_until_its_time) {
  start_worker();
  queue_.add_after({"", "late"}, 10s);
  queue_.add_after({"", "early"}, 1s);
  settle();
  EXPECT_TRUE(taken_.empty());
  advance(1s);
  EXPECT_EQ(taken_, Names{"early"});
  advance(9s);
  EXPECT_EQ(taken_, (Names{"early", "late"}));
}

TEST_F(WorkQueueTest, takes_the_earlier_of_two_times) {
  start_worker();
  queue_.add_after({"", "a"}, 10s);
  queue_.add_after({"", "a"}, 1s);
  queue_.add_after({"", "a"}, 20s);
  settle();
  advance(1s);
  EXPECT_EQ(taken_, Names{"a"});
  queue_.done({"", "a"});
  EXPECT_TRUE(queue_.idle());
}

TEST_F(WorkQueueTest, a_key_that_is_due_later_comes_at_once_when_it_is_added) {
  start_worker();
  queue_.add_after({"", "a"}, 10s);
  queue_.add({"", "a"});
  settle();
  EXPECT_EQ(taken_, Names{"a"});
  queue_.done({"", "a"});
  advance(20s);
  EXPECT_EQ(taken_, Names{"a"});
}

TEST_F(WorkQueueTest, pauses_double_with_each_failure_up_to_the_longest) {
  const ObjectKey key{"", "a"};
  EXPECT_EQ(queue_.add_failed(key), 5ms);
  EXPECT_EQ(queue_.add_failed(key), 10ms);
  for (int i = 0; i < 60; ++i) queue_.add_failed(key);
  EXPECT_EQ(queue_.add_failed(key), 60s);
  queue_.forget(key);
  EXPECT_EQ(queue_.add_failed(key), 5ms);
}

}  // namespace
}  // namespace controller
