#include "tunnel/testing/wire.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tunnel::testing {

using async::Task;
using base::Result;

Wire::Wire(async::TaskGroup& tasks, std::unique_ptr<net::Stream> stream)
    : stream_(std::move(stream)), changed_(tasks.executor()) {
  tasks.spawn("wire reads", read_all());
  tasks.spawn("wire writes", write_all());
}

void Wire::say(std::string text) {
  unsaid_ += text;
  changed_.notify_all();
}

void Wire::finish() {
  finished_ = true;
  changed_.notify_all();
}

void Wire::read(bool on) {
  reading_ = on;
  changed_.notify_all();
}

Task<void> Wire::read_all() {
  std::array<std::uint8_t, 16 * 1024> block;
  while (!ended_ && !broken_) {
    while (!reading_) CO_TRY_VOID(co_await changed_.wait());
    const auto count = co_await stream_->read_some(block);
    broken_ = !count;
    ended_ = count && *count == 0;
    if (count) heard_ += base::as_text({block.data(), *count});
  }
  co_return Result<void>{};
}

Task<void> Wire::write_all() {
  constexpr std::size_t kPiece = 64 * 1024;
  while (!unsaid_.empty() || !finished_) {
    if (unsaid_.empty()) {
      CO_TRY_VOID(co_await changed_.wait());
      continue;
    }
    const std::string piece = unsaid_.substr(0, kPiece);
    if (!co_await stream_->write_all(base::as_bytes(piece))) {
      broken_ = true;
      co_return Result<void>{};
    }
    unsaid_.erase(0, piece.size());
  }
  co_return co_await stream_->shutdown_write();
}

}  // namespace tunnel::testing
