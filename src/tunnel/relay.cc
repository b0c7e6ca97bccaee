#include "tunnel/relay.h"

#include <algorithm>
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

// Read before others have their turn: the fewer reads, the fewer acknowledgements TCP sends and the
// fewer writes a link makes. Most bring less than a block.
constexpr std::size_t kReadAtOnce = 512 * 1024;

base::Buffer right_sized(base::Buffer block) {
  if (block.size() > kSmallRead) return block;
  base::Buffer small(block.size());
  small.append(block.bytes());
  return small;
}

}  // namespace

Relay::Relay(async::Executor executor, net::Stream& socket, Outlet& outlet, async::Clock& clock,
             StallWatch& watch, base::MemoryBudget& budget, Listener& listener,
             const Options& options)
    : socket_(socket),
      outlet_(&outlet),
      clock_(clock),
      watch_(watch),
      listener_(listener),
      options_(options),
      wake_(executor),
      reader_(socket),
      queue_(&budget) {}

Relay::~Relay() { watch_.remove(*this); }

void Relay::deliver(base::Pieces pieces) {
  if (finished_ || write_failed_ || aborted_) return listener_.on_written(pieces.size());
  const bool idle = running_ && writing_ == 0 && !must_write();
  queue(pieces, idle ? write_now(pieces) : 0);
  if (idle && must_write()) wake();
}

// Straight from the receive buffer to the socket, as far as it goes.
std::size_t Relay::write_now(base::Pieces pieces) {
  const std::size_t count = socket_.try_write(pieces);
  bytes_written_ += count;
  if (count > 0) listener_.on_written(count);
  return count;
}

void Relay::queue(base::Pieces pieces, std::size_t written) {
  for (const base::Bytes piece : pieces) {
    const std::size_t gone = std::min(written, piece.size());
    written -= gone;
    queue_.append(piece.subspan(gone));
  }
}

void Relay::on_room() {
  stuck_ = false;
  unlink();
  wake_.notify_all();
}

void Relay::finish() {
  if (std::exchange(finished_, true)) return;
  if (backlog() > 0) watch_.add(*this);
  wake();
}

void Relay::leave() {
  leaving_ = true;
  outlet_ = nullptr;
  finish();
  wake();
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

void Relay::wake() {
  wake_.notify_all();
  socket_.interrupt();
}

// One coroutine reads and waits; what is delivered is written on the way, as a rule. Only while the
// socket does not take it a second one is there that writes.
Task<void> Relay::run() {
  running_ = true;
  while (!done()) {
    if (must_write()) {
      (void)co_await write_beside_reading();
    } else if (must_shut()) {
      write_shut_ = true;
      if (auto shut = co_await socket_.shutdown_write(); !shut) stop_writing(shut.error().message);
    } else {
      read_after(co_await wait_for_news());
    }
    if (async::is_cancelled(co_await async::asio::this_coro::cancellation_state))
      co_return base::fail(base::Code::cancelled, "cancelled");
  }
  co_return Result<void>{};
}

Task<void> Relay::write_beside_reading() {
  using namespace async::asio::experimental::awaitable_operators;
  (void)co_await (write_out() || read_on());
  co_return Result<void>{};
}

Task<void> Relay::read_on() {
  const auto state = co_await async::asio::this_coro::cancellation_state;
  while (!aborted_ && !async::is_cancelled(state)) {
    read_after(co_await wait_for_news());
  }
  co_return Result<void>{};
}

bool Relay::reads() const {
  return read_end_ == ReadEnd::none && outlet_ != nullptr && !outlet_->full();
}

// Ends when the socket may have something to read, and whenever wake() says so.
Task<void> Relay::wait_for_news() {
  if (reads()) return reader_.wait();
  if (read_end_ == ReadEnd::none && outlet_ != nullptr) return wait_for_room();
  return read_end_ == ReadEnd::half_closed && !lingered_ ? linger() : wake_.wait();
}

Task<void> Relay::wait_for_room() {
  if (stuck_) return wait_for_departure();
  if (options_.departures != nullptr && !is_linked()) options_.departures->add(*this);
  return wake_.wait();
}

// A peer that has gone takes no answer, and its last words had their time.
Task<void> Relay::wait_for_departure() {
  using namespace async::asio::experimental::awaitable_operators;
  const auto outcome = co_await (wake_.wait() || socket_.wait_gone());
  if (outcome.index() == 1 && std::get<1>(outcome))
    on_overload("the peer has gone, and its last bytes were not taken in time");
  co_return Result<void>{};
}

void Relay::on_delay_over() {
  stuck_ = true;
  wake_.notify_all();
}

// A wait that was interrupted tells nothing of the socket.
void Relay::read_after(const Result<void>& wait) {
  const bool interrupted = !wait && wait.error().is(base::Code::cancelled);
  if (interrupted) return;
  std::size_t total = 0, count = 0;
  do {
    count = read(total == 0 ? 1 : kReadAtOnce / Outlet::kBlock);
    total += count;
  } while (count > 0 && count % Outlet::kBlock == 0 && total < kReadAtOnce);
}

// How much came. More may be there only if the last block was full.
std::size_t Relay::read(std::size_t most_blocks) {
  if (!reads() || aborted_) return 0;
  const std::size_t blocks =
      std::clamp<std::size_t>(outlet_->space() / Outlet::kBlock, 1, most_blocks);
  auto bytes = reader_.take(Outlet::kBlock, blocks);
  if (!bytes) return 0;
  if (!*bytes) {
    if (failure_.empty()) failure_ = bytes->error().message;
    end_reading(ReadEnd::failed);
    return 0;
  }
  const std::size_t count = (*bytes)->size();
  if (count == 0) {
    end_reading(options_.half_close == HalfClose::no ? ReadEnd::eof : ReadEnd::half_closed);
    return 0;
  }
  bytes_read_ += count;
  listener_.on_read(count);
  while (!(*bytes)->empty()) outlet_->push(right_sized((*bytes)->pop()));
  return count;
}

void Relay::end_reading(ReadEnd how) {
  read_end_ = how;
  listener_.on_read_end(how);
}

// Until the socket has gone for good, so that what it is sent is lost.
Task<void> Relay::linger() {
  using namespace async::asio::experimental::awaitable_operators;
  Result<void> over;
  if (options_.half_close == HalfClose::yes) {
    over = co_await socket_.wait_gone();
  } else {
    const auto outcome = co_await (socket_.wait_gone() || silence());
    over = outcome.index() == 0 ? std::get<0>(outcome) : std::get<1>(outcome);
  }
  lingered_ = over || !over.error().is(base::Code::cancelled);
  co_return over;
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
  if (must_write()) return false;
  if (leaving_) return true;
  if (options_.half_close == HalfClose::no || read_end_ == ReadEnd::failed)
    return finished_ || read_end_ == ReadEnd::eof || read_end_ == ReadEnd::failed;
  if (options_.half_close == HalfClose::linger) return finished_;
  return finished_ && (write_shut_ || write_failed_) && read_end_ != ReadEnd::none;
}

bool Relay::must_write() const {
  return !write_failed_ && !aborted_ && (!queue_.empty() || socket_.unsent());
}

bool Relay::must_shut() const {
  return options_.half_close == HalfClose::yes && finished_ && !write_shut_ && !write_failed_;
}

Task<void> Relay::write_out() {
  while (must_write()) CO_TRY_VOID(co_await write_next());
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
