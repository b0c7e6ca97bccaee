#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/result.h"

namespace async {

namespace asio = boost::asio;

/// A coroutine of ours. It does nothing until awaited or spawned into a TaskGroup. Failures are
/// values.
///
/// When its TaskGroup is cancelled, the operation in progress ends with Code::cancelled and any
/// further `co_await` throws a system_error that unwinds the coroutine up to the group: clean-up
/// belongs into destructors.
template <typename T = void>
using Task = asio::awaitable<base::Result<T>>;

/// The loop of one thread. All state of a connection belongs to one loop; no locks.
using Loop = asio::io_context;

/// Whether the coroutine whose state this is (asio::this_coro::cancellation_state) is cancelled:
/// for those whose waits end for other reasons too.
inline bool is_cancelled(const asio::cancellation_state& state) {
  return state.cancelled() != asio::cancellation_type::none;
}

/// Completion token for operations of Asio: gives a tuple (error_code, results...) instead of
/// throwing.
inline constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

}  // namespace async
