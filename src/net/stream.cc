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

namespace {

Task<void> let_others_run() {
  co_await async::asio::post(async::asio::use_awaitable);
  co_return base::Result<void>{};
}

}  // namespace

Task<void> BlockReader::wait() { return more_ ? let_others_run() : stream_.wait_readable(); }

// One that gave a little has no more for now, as a rule: asking it would be in vain.
std::optional<base::Result<base::Buffer>> BlockReader::take(std::size_t limit) {
  base::Buffer block(base::Buffer::kBlock);
  const base::MutableBytes room = block.tail().first(limit);
  const auto count = stream_.try_read(room);
  constexpr std::size_t kLittle = 4096;
  more_ = count && *count && **count > kLittle;
  if (!count) return std::nullopt;
  if (!*count) return base::fail(count->error());
  block.commit(**count);
  return block;
}

}  // namespace net
