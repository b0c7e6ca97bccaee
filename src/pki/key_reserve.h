#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include <boost/asio/thread_pool.hpp>

#include "async/event.h"
#include "async/task_group.h"
#include "pki/private_key.h"

namespace pki {

/// RSA 2048 keys for new certificates, made by threads of their own, which are there as long as
/// there is something to make: one key takes from 50 to 500 ms, in which a loop would do nothing
/// else.
///
/// Flow: want(), take() any number of times; co_await stop(); destroy before the loop. Guarantees:
/// a key is given out once. Thread: that of the loop of `executor`.
class KeyReserve {
 public:
  explicit KeyReserve(async::Executor executor);

  /// Whoever comes next finds that many keys made or in the making, counted without those that
  /// others wait for.
  void want(std::size_t count);
  /// A key that was made ahead, or the next one that is ready.
  async::Task<PrivateKey> take();
  /// Returns when the keys in the making are done.
  async::Awaitable<void> stop();

 private:
  async::Task<void> make();

  std::deque<base::Result<PrivateKey>> keys_;
  std::size_t making_ = 0;
  std::size_t waiting_ = 0;  // tasks in take()
  async::Event made_;
  std::optional<async::asio::thread_pool> threads_;
  async::TaskGroup tasks_;
};

}  // namespace pki
