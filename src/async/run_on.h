#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include "async/event.h"
#include "async/task.h"

namespace async {

namespace detail {

template <typename T>
struct RemoteCall {
  explicit RemoteCall(Executor caller) : home(caller), done(caller) {}
  Executor home;
  Event done;                             // home's
  std::optional<base::Result<T>> result;  // home's
};

template <typename T>
void bring_home(std::shared_ptr<RemoteCall<T>> call, base::Result<T> result) {
  asio::post(call->home, [call, result = std::move(result)]() mutable {
    call->result = std::move(result);
    call->done.notify_all();
  });
}

template <typename T>
Awaitable<void> carry_out(std::shared_ptr<RemoteCall<T>> call, std::function<Task<T>()> work) {
  bring_home(std::move(call), co_await work());
}

template <typename T>
Task<T> wait_for(std::shared_ptr<RemoteCall<T>> call) {
  while (!call->result) CO_TRY_VOID(co_await call->done.wait());
  co_return *std::move(call->result);
}

}  // namespace detail

/// Runs `work` on another loop and resumes here with its result. A caller that is cancelled leaves
/// it running there: `work` must not refer to the caller.
template <typename T>
Task<T> run_on(Executor there, std::function<Task<T>()> work) {
  const auto call = std::make_shared<detail::RemoteCall<T>>(co_await asio::this_coro::executor);
  asio::co_spawn(there, detail::carry_out(call, std::move(work)), asio::detached);
  co_return co_await detail::wait_for(call);
}

/// The same for what only computes, on threads without a loop.
template <typename T>
Task<T> run_on(asio::thread_pool& there, std::function<base::Result<T>()> work) {
  const auto call = std::make_shared<detail::RemoteCall<T>>(co_await asio::this_coro::executor);
  asio::post(there, [call, work = std::move(work)] { detail::bring_home(call, work()); });
  co_return co_await detail::wait_for(call);
}

}  // namespace async
