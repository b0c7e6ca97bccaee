#include "tunnel/client/tunnel_end.h"

#include <algorithm>
#include <utility>

#include "tunnel/outlet.h"

namespace tunnel::client {

using async::Task;
using base::Code;
using base::Result;

TunnelEnd::TunnelEnd(async::Executor executor, async::Clock& clock, std::string peer,
                     async::Duration silence_limit)
    : clock_(clock),
      peer_(std::move(peer)),
      silence_limit_(silence_limit),
      changed_(executor),
      room_(executor) {}

Task<std::size_t> TunnelEnd::read_some(base::MutableBytes into) {
  for (;;) {
    if (auto count = try_read(into)) co_return *std::move(count);
    CO_TRY_VOID(co_await wait_readable());
  }
}

std::optional<Result<std::size_t>> TunnelEnd::try_read(base::MutableBytes into) {
  if (!unread_.empty()) {
    std::size_t count = 0;
    while (count < into.size() && !unread_.empty()) {
      const base::Bytes front = unread_.front();
      const std::size_t piece = std::min(front.size(), into.size() - count);
      std::copy_n(front.begin(), piece, into.begin() + static_cast<std::ptrdiff_t>(count));
      unread_.consume(piece);
      count += piece;
    }
    link_consumed(count);
    return count;
  }
  if (ended_) return std::size_t{0};
  if (failure_) return base::fail(*failure_);
  return std::nullopt;
}

Task<void> TunnelEnd::wait_readable() {
  const unsigned before = interrupts_;
  while (!readable()) {
    CO_TRY_VOID(co_await wait_for_news());
    if (interrupts_ != before) co_return base::fail(Code::cancelled, "interrupted");
  }
  co_return Result<void>{};
}

Task<void> TunnelEnd::wait_for_news() {
  const bool limited = finished_ && silence_limit_.count() > 0;
  if (!limited) co_return co_await changed_.wait();
  const async::TimePoint until = heard_ + silence_limit_;
  CO_TRY_VOID(co_await clock_.wait(changed_, until));
  if (!readable() && clock_.now() >= heard_ + silence_limit_) {
    link_silent();
    received_end();
  }
  co_return Result<void>{};
}

Task<void> TunnelEnd::wait_gone() {
  const unsigned before = interrupts_;
  while (!failure_) {
    CO_TRY_VOID(co_await changed_.wait());
    if (interrupts_ != before) co_return base::fail(Code::cancelled, "interrupted");
  }
  co_return Result<void>{};
}

void TunnelEnd::interrupt() {
  ++interrupts_;
  changed_.notify_all();
}

Result<void> TunnelEnd::may_write() const {
  if (failure_) return base::fail(*failure_);
  if (finished_) return base::fail(Code::closed, "writing was ended");
  return {};
}

Task<void> TunnelEnd::wait_for_room() {
  for (;;) {
    CO_TRY_VOID(may_write());
    if (!link_full()) co_return Result<void>{};
    CO_TRY_VOID(co_await room_.wait());
  }
}

Task<void> TunnelEnd::write_all(base::Bytes bytes) {
  CO_TRY_VOID(may_write());
  while (!bytes.empty()) {
    CO_TRY_VOID(co_await wait_for_room());
    const base::Bytes piece = bytes.first(std::min(bytes.size(), Outlet::kBlock));
    base::Buffer block(piece.size());
    block.append(piece);
    link_push(std::move(block));
    bytes = bytes.subspan(piece.size());
  }
  co_return Result<void>{};
}

Task<void> TunnelEnd::write_all(base::BufferQueue& queue) {
  CO_TRY_VOID(may_write());
  while (!queue.empty()) {
    CO_TRY_VOID(co_await wait_for_room());
    base::Buffer block = queue.pop();
    if (block.headroom() >= base::Buffer::kHeadroom) {
      link_push(std::move(block));
    } else {
      CO_TRY_VOID(co_await write_all(block.bytes()));
    }
  }
  co_return Result<void>{};
}

std::size_t TunnelEnd::try_write(base::Pieces pieces) {
  if (!may_write() || link_full() || pieces.size() == 0) return 0;
  base::Buffer block(std::min(pieces.size(), Outlet::kBlock));
  for (const base::Bytes piece : pieces)
    block.append(piece.first(std::min(piece.size(), block.tail().size())));
  const std::size_t count = block.size();
  link_push(std::move(block));
  return count;
}

Task<void> TunnelEnd::shutdown_write() {
  if (failure_) co_return base::fail(*failure_);
  if (std::exchange(finished_, true)) co_return Result<void>{};
  heard_ = clock_.now();
  link_finish();
  changed_.notify_all();  // who reads waits with a limit from now on
  co_return Result<void>{};
}

void TunnelEnd::received(base::Bytes bytes) {
  heard_ = clock_.now();
  unread_.append(bytes);
  changed_.notify_all();
}

void TunnelEnd::received_end() {
  ended_ = true;
  changed_.notify_all();
}

void TunnelEnd::received_failure(base::Error error) {
  if (!failure_) failure_ = std::move(error);
  changed_.notify_all();
  room_.notify_all();
}

}  // namespace tunnel::client
