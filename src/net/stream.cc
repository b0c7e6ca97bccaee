#include "net/stream.h"

#include <algorithm>
#include <array>
#include <span>
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

// What a link brings in one go: two frames of bulk and the parts of two more. Twice as much is out
// of the processor's nearest cache before it has been sent on.
constexpr std::size_t kView = 160 * 1024;

constexpr std::size_t kBlocks = 8;  // of one read

Task<void> let_others_run() {
  co_await async::asio::post(async::kAwaitable);
  co_return base::Result<void>{};
}

}  // namespace

Task<void> BlockReader::wait() { return more_ ? let_others_run() : stream_.wait_readable(); }

// One that gave a little has no more for now, as a rule: asking it would be in vain.
std::optional<base::Result<std::size_t>> BlockReader::note(
    std::optional<base::Result<std::size_t>> count) {
  constexpr std::size_t kLittle = 4096;
  more_ = count && *count && **count > kLittle;
  return count;
}

std::optional<base::Result<base::Buffer>> BlockReader::take(std::size_t limit) {
  auto blocks = take(limit, 1);
  if (!blocks) return std::nullopt;
  if (!*blocks) return base::fail((*blocks).error());
  return (*blocks)->empty() ? base::Buffer() : (*blocks)->pop();
}

std::optional<base::Result<base::BufferQueue>> BlockReader::take(std::size_t limit,
                                                                 std::size_t blocks) {
  std::array<base::Buffer, kBlocks> made;
  std::array<base::MutableBytes, kBlocks> places;
  blocks = std::min(blocks, kBlocks);
  for (std::size_t i = 0; i < blocks; ++i) {
    made[i] = base::Buffer(base::Buffer::kBlock);
    places[i] = made[i].tail().first(limit);
  }
  const auto count = note(stream_.try_read(std::span(places).first(blocks)));
  if (!count) return std::nullopt;
  if (!*count) return base::fail(count->error());
  base::BufferQueue queue;
  for (std::size_t i = 0, rest = **count; rest > 0; ++i) {
    made[i].commit(std::min(rest, limit));
    rest -= made[i].size();
    queue.push(std::move(made[i]));
  }
  return queue;
}

std::optional<base::Result<base::Bytes>> BlockReader::view() {
  thread_local std::array<std::uint8_t, kView> memory;
  const auto count = note(stream_.try_read(base::MutableBytes(memory)));
  if (!count) return std::nullopt;
  if (!*count) return base::fail(count->error());
  return base::Bytes(memory).first(**count);
}

}  // namespace net
