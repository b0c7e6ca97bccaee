#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "async/task.h"
#include "async/task_group.h"
#include "base/check.h"

namespace async::testing {

/// Runs `task` on `loop` until it ends, and all that it caused. For tests.
template <typename T>
base::Result<T> run(Loop& loop, Task<T> task) {
  std::optional<base::Result<T>> result;
  auto keep = [](Task<T> inner, std::optional<base::Result<T>>& out) -> Task<void> {
    out = co_await std::move(inner);
    co_return base::Result<void>{};
  };
  TaskGroup group(loop.get_executor());
  group.spawn("test", keep(std::move(task), result));
  loop.restart();
  while (!result && loop.run_one() > 0) {
  }
  CHECK(result.has_value());
  loop.poll();
  return std::move(*result);
}

/// Runs `loop` until `done`, and after each millisecond `beside`: what does not come from the loop.
/// False when 20 s of real time do not bring it. For tests that wait for the kernel.
template <typename Condition, typename Beside>
bool run_until(Loop& loop, Condition done, Beside beside) {
  constexpr std::chrono::seconds kPatience(20);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!done() && std::chrono::steady_clock::now() < deadline) {
    loop.restart();
    loop.run_for(std::chrono::milliseconds(1));
    beside();
  }
  return done();
}

template <typename Condition>
bool run_until(Loop& loop, Condition done) {
  return run_until(loop, std::move(done), [] {});
}

}  // namespace async::testing
