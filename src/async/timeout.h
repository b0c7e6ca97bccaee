#pragma once

#include <string>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "async/clock.h"
#include "async/task.h"

namespace async {

/// Runs `task` but not longer than `limit`: then it is cancelled, and the result is Code::timeout
/// with the text
/// "`what`: timed out after 5s". For rare moments (dial, handshake): it costs two spawned
/// coroutines.
template <typename T>
Task<T> with_timeout(Clock& clock, Duration limit, std::string what, Task<T> task) {
  using namespace asio::experimental::awaitable_operators;
  auto outcome = co_await (std::move(task) || clock.sleep_for(limit));
  if (outcome.index() == 0) co_return std::move(std::get<0>(outcome));
  const auto seconds = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  co_return base::fail(base::Code::timeout, fmt::format("{}: timed out after {}s", what,
                                                        static_cast<double>(seconds) / 1000));
}

}  // namespace async
