#include "tunnel/client/join.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "tunnel/outlet.h"

namespace tunnel::client {

using async::Task;
using base::Result;

Task<void> Join::run() {
  using namespace async::asio::experimental::awaitable_operators;
  co_await (carry(up_, down_) && carry(down_, up_));
  near_.close();
  far_.close();
  if (failure_) co_return base::fail(*std::move(failure_));
  co_return Result<void>{};
}

async::Awaitable<void> Join::carry(Direction& direction, const Direction& other) {
  auto carried = co_await carry_all(direction);
  direction.ended = carried.has_value();
  if (carried || failure_) co_return;
  // Whoever has said everything and takes no more has just gone. A disk that is full is not gone.
  if (direction.write_failed && other.ended && !carried.error().is(base::Code::io)) co_return;
  failure_ = std::move(carried).error();
  near_.abort();
  far_.abort();
}

Task<void> Join::carry_all(Direction& direction) {
  net::BlockReader reader(direction.from);
  base::BufferQueue queue;
  for (;;) {
    CO_TRY_VOID(co_await reader.wait());
    auto block = reader.take(Outlet::kBlock);
    if (!block) continue;
    CO_TRY(base::Buffer bytes, *std::move(block));
    if (bytes.empty()) {
      auto shut = co_await direction.to.shutdown_write();
      direction.write_failed = !shut;
      co_return shut;
    }
    const std::size_t count = bytes.size();
    queue.push(std::move(bytes));
    direction.writing = true;
    auto written = co_await direction.to.write_all(queue);
    direction.writing = false;
    direction.write_failed = !written;
    CO_TRY_VOID(std::move(written));
    direction.bytes += count;
  }
}

}  // namespace tunnel::client
