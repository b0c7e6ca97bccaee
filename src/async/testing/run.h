#pragma once

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

}  // namespace async::testing
