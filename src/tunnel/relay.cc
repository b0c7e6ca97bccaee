#include "tunnel/relay.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace tunnel {
namespace {

using async::Task;
using base::Result;

// A read that brought this little is copied out of its big block, which serves the next reader.
constexpr std::size_t kSmallRead = 4096;

// One system call takes so much; what it frees is credited at once.
constexpr std::size_t kWriteAtOnce = 256 * 1024;

base::Buffer right_sized(base::Buffer block) {
  if (block.size() > kSmallRead) return block;
  base::Buffer small(block.size());
  small.append(block.bytes());
  return small;
}

}  // namespace

Relay::Relay(async::asio::any_io_executor executor, net::Stream& socket, Outlet& outlet,
             async::Clock& clock, StallWatch& watch, base::MemoryBudget& budget, Listener& listener,
             const Options& options)
    : socket_(socket),
      outlet_(&outlet),
      clock_(clock),
      watch_(watch),
      listener_(listener),
      options_(options),
      wake_(executor),
      queue_(&budget) {}

Relay::~Relay() { watch_.remove(*this); }

void Relay::deliver(base::Bytes bytes) {
  if (finished_ || write_failed_ || aborted_) return listener_.on_written(bytes.size());
  const bool idle = running_ && queue_.empty() && writing_ == 0;
  if (idle) bytes = bytes.subspan(write_now(bytes));
  if (bytes.empty()) return;
  queue_.append(bytes);
  if (idle) wake_.notify_all();
}

// Straight from the receive buffer to the socket, as far as it goes.
std::size_t Relay::write_now(base::Bytes bytes) {
  const std::size_t count = socket_.try_write(bytes);
  bytes_written_ += count;
  if (count > 0) listener_.on_written(count);
  return count;
}

void Relay::finish() {
  if (std::exchange(finished_, true)) return;
  if (backlog() > 0) watch_.add(*this);
  wake_.notify_all();
}

void Relay::leave() {
  leaving_ = true;
  outlet_ = nullptr;
  finish();
  wake_.notify_all();
}

void Relay::abort(const std::string& reason) {
  if (std::exchange(aborted_, true)) return;
  failure_ = reason;
  queue_.clear();
  socket_.abort();
  wake_.notify_all();
}

void Relay::on_overload(const std::string& reason) {
  overloaded_ = true;
  abort(reason);
}

Task<void> Relay::run() {
  using namespace async::asio::experimental::awaitable_operators;
  running_ = true;
  auto outcome = co_await (write_loop() || read_loop());
  co_return outcome.index() == 0 ? std::get<0>(std::move(outcome))
                                 : std::get<1>(std::move(outcome));
}

// Never returns by itself: only the writer knows when all is done.
Task<void> Relay::read_loop() {
  CO_TRY(read_end_, co_await read_to_end());
  listener_.on_read_end(read_end_);
  if (read_end_ == ReadEnd::half_closed) CO_TRY_VOID(co_await linger());
  wake_.notify_all();
  for (;;) CO_TRY_VOID(co_await wake_.wait());
}

Task<Relay::ReadEnd> Relay::read_to_end() {
  for (;;) {
    while (outlet_ == nullptr || outlet_->full()) CO_TRY_VOID(co_await wake_.wait());
    auto block = co_await net::read_block(socket_, Outlet::kBlock);
    if (!block) {
      if (failure_.empty()) failure_ = block.error().message;
      co_return ReadEnd::failed;
    }
    if (block->empty())
      co_return options_.half_close == HalfClose::no ? ReadEnd::eof : ReadEnd::half_closed;
    bytes_read_ += block->size();
    listener_.on_read(block->size());
    if (outlet_ != nullptr) outlet_->push(right_sized(*std::move(block)));
  }
}

// Returns when the socket has gone for good, so that what it is sent is lost.
Task<void> Relay::linger() {
  using namespace async::asio::experimental::awaitable_operators;
  if (options_.half_close == HalfClose::yes) {
    (void)co_await socket_.wait_gone();
  } else {
    (void)co_await (socket_.wait_gone() || silence());
  }
  lingered_ = true;
  co_return Result<void>{};
}

Task<void> Relay::silence() {
  std::uint64_t before = 0;
  do {
    before = bytes_written_ + backlog();
    CO_TRY_VOID(co_await clock_.sleep_for(options_.linger));
  } while (bytes_written_ + backlog() != before);
  co_return Result<void>{};
}

bool Relay::done() const {
  if (aborted_ || lingered_) return true;
  if (!queue_.empty() && !write_failed_) return false;
  if (leaving_) return true;
  if (options_.half_close == HalfClose::no || read_end_ == ReadEnd::failed)
    return finished_ || read_end_ == ReadEnd::eof || read_end_ == ReadEnd::failed;
  if (options_.half_close == HalfClose::linger) return finished_;
  return finished_ && (write_shut_ || write_failed_) && read_end_ != ReadEnd::none;
}

Task<void> Relay::write_loop() {
  while (!done()) {
    if (!queue_.empty()) {
      CO_TRY_VOID(co_await write_next());
    } else if (options_.half_close == HalfClose::yes && finished_ &&
               !std::exchange(write_shut_, true)) {
      if (auto shut = co_await socket_.shutdown_write(); !shut) stop_writing(shut.error().message);
    } else {
      CO_TRY_VOID(co_await wake_.wait());
    }
  }
  co_return Result<void>{};
}

Task<void> Relay::write_next() {
  base::BufferQueue batch;
  while (batch.size() < kWriteAtOnce && !queue_.empty()) batch.push(queue_.pop());
  const std::size_t count = writing_ = batch.size();
  auto written = co_await socket_.write_all(batch);
  writing_ = 0;
  if (written) {
    bytes_written_ += count;
    listener_.on_written(count);
  } else {
    const std::size_t dropped = count + queue_.size();
    stop_writing(written.error().message);
    listener_.on_written(dropped);
  }
  co_return Result<void>{};
}

// What the peer sent before it went may still be read; the reader will find the end.
void Relay::stop_writing(std::string reason) {
  write_failed_ = true;
  queue_.clear();
  if (failure_.empty()) failure_ = std::move(reason);
}

}  // namespace tunnel
