#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include <gtest/gtest.h>

#include "async/clock.h"
#include "async/task_group.h"

namespace portforward::testing {

/// A loop under a clock that runs only while nobody has anything to do.
class LoopTest : public ::testing::Test {
 protected:
  /// Runs the loop until `condition` holds. False after ten seconds of real time.
  bool eventually(const std::function<bool()>& condition) {
    const auto give_up = system_.now() + std::chrono::seconds(10);
    while (!condition()) {
      if (system_.now() > give_up) return false;
      loop_.restart();
      if (loop_.run_one_for(std::chrono::milliseconds(2)) == 0) {
        clock_.advance(std::chrono::milliseconds(500));
      }
    }
    return true;
  }

  /// Runs `task` to its end, and gives its result.
  template <typename T>
  base::Result<T> finish(async::Task<T> task) {
    std::optional<base::Result<T>> result;
    tasks_.spawn("test", keep(std::move(task), result));
    EXPECT_TRUE(eventually([&] { return result.has_value(); }));
    if (!result) return base::fail(base::Code::timeout, "the test gave up");
    return std::move(*result);
  }

  template <typename T>
  static async::Task<void> keep(async::Task<T> task, std::optional<base::Result<T>>& into) {
    into.emplace(co_await std::move(task));
    co_return base::Result<void>{};
  }

  async::Loop loop_{1};
  async::SystemClock system_;
  async::ManualClock clock_{loop_.get_executor()};
  async::TaskGroup tasks_{loop_.get_executor()};
};

}  // namespace portforward::testing
