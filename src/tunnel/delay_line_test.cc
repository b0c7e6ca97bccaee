#include "tunnel/delay_line.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "async/task_group.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;

struct Noted : DelayLine::Entry {
  Noted(std::string called, std::string& heard) : name(std::move(called)), calls(heard) {}
  void on_delay_over() override { calls += name; }

  std::string name;
  std::string& calls;
};

class DelayLineTest : public ::testing::Test {
 protected:
  DelayLineTest() { tasks_.spawn("line", line_.run()); }
  ~DelayLineTest() override {
    tasks_.cancel();
    advance(0s);
  }
  void advance(async::Duration by) {
    loop_.restart();
    loop_.poll();
    clock_.advance(by);
    loop_.restart();
    loop_.poll();
  }

  async::Loop loop_;
  async::ManualClock clock_{loop_.get_executor()};
  DelayLine line_{loop_.get_executor(), clock_, 10s};
  std::string calls_;
  async::TaskGroup tasks_{loop_.get_executor()};
};

TEST_F(DelayLineTest, calls_entries_back_in_order_after_its_delay) {
  Noted a("a", calls_), b("b", calls_);
  line_.add(a);
  advance(5s);
  line_.add(b);
  advance(5s);
  EXPECT_EQ(calls_, "a");
  advance(5s);
  EXPECT_EQ(calls_, "ab");
  advance(1h);
  EXPECT_EQ(calls_, "ab");
}

TEST_F(DelayLineTest, begins_anew_for_an_entry_that_is_added_again) {
  Noted a("a", calls_);
  line_.add(a);
  advance(9s);
  line_.add(a);
  advance(9s);
  EXPECT_EQ(calls_, "");
  advance(1s);
  EXPECT_EQ(calls_, "a");
}

TEST_F(DelayLineTest, forgets_entries_that_are_removed_or_gone) {
  Noted removed("r", calls_);
  std::optional<Noted> gone(std::in_place, "g", calls_);
  line_.add(removed);
  line_.add(*gone);
  advance(1s);
  line_.remove(removed);
  gone.reset();
  advance(1h);
  EXPECT_EQ(calls_, "");
}

}  // namespace
}  // namespace tunnel
