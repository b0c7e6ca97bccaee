#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/result.h"

namespace async {

namespace asio = boost::asio;

/// The loop of one thread. All state of a connection belongs to one loop; no locks.
using Loop = asio::io_context;

/// What runs on a Loop. Known when compiling, so that no step of a coroutine, a socket or a timer
/// goes through a pointer to it (docs/decisions/0029-one-kind-of-executor.md).
using Executor = Loop::executor_type;

/// A coroutine whose result is no Result: as a rule the end of something, which cannot fail.
template <typename T>
using Awaitable = asio::awaitable<T, Executor>;

/// A coroutine of ours. It does nothing until awaited or spawned into a TaskGroup. Failures are
/// values.
///
/// When its TaskGroup is cancelled, the operation in progress ends with Code::cancelled and any
/// further `co_await` throws a system_error that unwinds the coroutine up to the group: clean-up
/// belongs into destructors.
template <typename T = void>
using Task = Awaitable<base::Result<T>>;

/// Whether the coroutine whose state this is (asio::this_coro::cancellation_state) is cancelled:
/// for those whose waits end for other reasons too.
inline bool is_cancelled(const asio::cancellation_state& state) {
  return state.cancelled() != asio::cancellation_type::none;
}

/// Completion tokens for operations of Asio: the first throws on errors, the second gives a tuple
/// (error_code, results...).
inline constexpr asio::use_awaitable_t<Executor> kAwaitable;
inline constexpr auto kAsTuple = asio::as_tuple(kAwaitable);

}  // namespace async
