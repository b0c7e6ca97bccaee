#include "net/stream.h"

#include <utility>

#include <boost/asio/post.hpp>

namespace net {

using async::Task;

Task<void> Stream::write_all(base::BufferQueue& queue) {
  while (!queue.empty()) {
    const base::Buffer block = queue.pop();
    CO_TRY_VOID(co_await write_all(block.bytes()));
  }
  co_return base::Result<void>{};
}

Task<base::Buffer> read_block(Stream& stream, std::size_t limit) {
  co_await async::asio::post(async::asio::use_awaitable);
  {
    base::Buffer block(base::Buffer::kBlock);
    if (auto count = stream.try_read(block.tail().first(limit))) {
      CO_TRY(const std::size_t size, *std::move(count));
      block.commit(size);
      co_return block;
    }
  }
  CO_TRY_VOID(co_await stream.wait_readable());
  base::Buffer block(base::Buffer::kBlock);
  CO_TRY(const std::size_t size, co_await stream.read_some(block.tail().first(limit)));
  block.commit(size);
  co_return block;
}

}  // namespace net
