#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/event.h"
#include "async/task.h"

namespace async {

namespace detail {

template <typename T>
struct RemoteCall {
  explicit RemoteCall(const asio::any_io_executor& caller) : home(caller), done(caller) {}
  asio::any_io_executor home;
  Event done;                             // home's
  std::optional<base::Result<T>> result;  // home's
};

template <typename T>
asio::awaitable<void> carry_out(std::shared_ptr<RemoteCall<T>> call,
                                std::function<Task<T>()> work) {
  auto result = co_await work();
  asio::post(call->home, [call, result = std::move(result)]() mutable {
    call->result = std::move(result);
    call->done.notify_all();
  });
}

}  // namespace detail

/// Runs `work` on another loop and resumes here with its result. A caller that is cancelled leaves
/// it running there: `work` must not refer to the caller.
template <typename T>
Task<T> run_on(asio::any_io_executor there, std::function<Task<T>()> work) {
  const auto call = std::make_shared<detail::RemoteCall<T>>(co_await asio::this_coro::executor);
  asio::co_spawn(there, detail::carry_out(call, std::move(work)), asio::detached);
  while (!call->result) CO_TRY_VOID(co_await call->done.wait());
  co_return *std::move(call->result);
}

}  // namespace async
