#include "portforward/spdy_connection.h"

#include <algorithm>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "portforward/next_block.h"

namespace portforward {

using async::Task;
using base::Bytes;
using base::Code;
using base::fail;
using base::Result;

namespace {

/// Small enough that streams take turns.
constexpr std::size_t kChunk = 32 * 1024;

}  // namespace

SpdyConnection::SpdyConnection(async::Executor executor, async::Clock& clock,
                               std::unique_ptr<net::Stream> stream, Options options)
    : executor_(executor),
      clock_(clock),
      stream_(std::move(stream)),
      options_(std::move(options)),
      session_(options_.window),
      output_(executor),
      room_(executor),
      drained_(executor) {}

SpdyConnection::~SpdyConnection() = default;

Task<void> SpdyConnection::run(std::string first_bytes) {
  using namespace async::asio::experimental::awaitable_operators;
  if (auto received = session_.receive(base::as_bytes(first_bytes)); !received) {
    close(received.error());
  }
  auto outcome = co_await (read_loop() || write_loop() || keep_alive());
  auto result = std::visit([](auto& first) { return std::move(first); }, outcome);
  close(result ? base::Error{Code::closed, "the connection ended"} : std::move(result).error());
  co_return fail(*ended_);
}

void SpdyConnection::close(base::Error reason) {
  if (ended_) return;
  ended_ = std::move(reason);
  stream_->close();
  session_.lose_all(*ended_);
  output_.notify_all();
  room_.notify_all();
  drained_.notify_all();
}

Result<std::unique_ptr<SpdyStream>> SpdyConnection::open(const SpdyHeaders& headers) {
  if (!usable()) return fail(Code::unavailable, "the connection takes no more streams");
  std::unique_ptr<SpdyStream> stream(new SpdyStream(*this, headers));
  open_streams_.insert(stream.get());
  flush();
  return stream;
}

SpdyStream* SpdyConnection::stalled() const {
  const auto full = [this](const SpdyStream* stream) {
    return stream->backlog() >= options_.window;
  };
  const auto place = std::ranges::find_if(open_streams_, full);
  return place == open_streams_.end() ? nullptr : *place;
}

// Bytes that a peer with windows may send, and those of the rest that are under way, find room.
Task<void> SpdyConnection::until_read() {
  while (session_.peer_ignores_windows() && stalled() != nullptr) {
    paused_ = true;
    CO_TRY_VOID(co_await drained_.wait());
    if (ended_) co_return fail(*ended_);
  }
  paused_ = false;
  co_return Result<void>{};
}

Task<void> SpdyConnection::read_loop() {
  net::BlockReader reader(*stream_);
  for (;;) {
    CO_TRY_VOID(co_await until_read());
    CO_TRY(auto block, co_await next_block(reader));
    if (ended_) co_return fail(*ended_);
    if (block.empty()) co_return fail(Code::closed, "the other end closed the connection");
    received_ += block.size();
    CO_TRY_VOID(session_.receive(block.bytes()));
    flush();
    room_.notify_all();
  }
}

Task<void> SpdyConnection::write_loop() {
  for (;;) {
    while (session_.output().empty()) {
      CO_TRY_VOID(co_await output_.wait());
      if (ended_) co_return fail(*ended_);
    }
    const auto block = session_.output().pop();
    CO_TRY_VOID(co_await stream_->write_all(block.bytes()));
    if (ended_) co_return fail(*ended_);
    written_ += block.size();
    room_.notify_all();
  }
}

Task<void> SpdyConnection::keep_alive() {
  for (std::uint64_t heard = received_;; heard = received_) {
    session_.ping();
    flush();
    CO_TRY_VOID(co_await clock_.sleep_for(options_.tick));
    watch_writes();
    look_at_streams();
    if (paused_) reset_stalled();
    silent_ = paused_ || received_ != heard ? 0 : silent_ + 1;
    if (silent_ < options_.silent_ticks) continue;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options_.tick * silent_);
    co_return fail(Code::timeout,
                   fmt::format("{} answered no ping for {} s", stream_->peer(), seconds.count()));
  }
}

void SpdyConnection::watch_writes() {
  writes_stuck_ = !session_.output().empty() && written_ == written_at_tick_;
  written_at_tick_ = written_;
}

void SpdyConnection::look_at_streams() {
  for (auto* stream : open_streams_) {
    const bool took = std::exchange(stream->taken_at_tick_, stream->taken_) != stream->taken_;
    const bool stalls = !took && stream->backlog() >= options_.window;
    stream->stalled_ticks_ = stalls ? stream->stalled_ticks_ + 1 : 0;
  }
}

// Whoever takes nothing holds all others up.
void SpdyConnection::reset_stalled() {
  const auto stalls = [](const SpdyStream* stream) { return stream->stalled_ticks_ >= 2; };
  const auto place = std::ranges::find_if(open_streams_, stalls);
  const bool shared = session_.streams() > options_.streams_of_one_user;
  if (place == open_streams_.end() || !shared) return;
  (*place)->reset(
      {Code::exhausted, "its reader takes nothing, and others wait for it on the same connection"});
  if (options_.on_stall) options_.on_stall();
}

bool SpdyConnection::room_for(std::uint32_t id) const {
  return session_.output().size() < options_.output && session_.sendable(id) > 0;
}

SpdyStream::SpdyStream(SpdyConnection& connection, const SpdyHeaders& headers)
    : connection_(connection),
      changed_(connection.executor_),
      id_(connection.session_.open(headers, *this)) {}

SpdyStream::~SpdyStream() {
  connection_.session_.reset(id_, SpdyStatus::cancel);
  connection_.open_streams_.erase(this);
  connection_.flush();
  connection_.drained_.notify_all();
}

void SpdyStream::on_reply() {
  replied_ = true;
  changed_.notify_all();
}

void SpdyStream::on_data(Bytes bytes) {
  backlog_.append(bytes);
  changed_.notify_all();
}

void SpdyStream::on_end() {
  ended_ = true;
  changed_.notify_all();
}

void SpdyStream::on_lost(const base::Error& error) {
  lost_ = error;
  changed_.notify_all();
  connection_.room_.notify_all();
}

Task<void> SpdyStream::replied() {
  while (!replied_) {
    if (lost_) co_return fail(*lost_);
    CO_TRY_VOID(co_await changed_.wait());
  }
  co_return Result<void>{};
}

// What came before the loss still counts.
Task<base::Buffer> SpdyStream::read() {
  while (backlog_.empty()) {
    if (lost_) co_return fail(*lost_);
    if (ended_) co_return base::Buffer();
    CO_TRY_VOID(co_await changed_.wait());
  }
  auto block = backlog_.pop();
  taken_ += block.size();
  connection_.session_.consumed(id_, block.size());
  connection_.flush();
  connection_.drained_.notify_all();
  co_return block;
}

Task<void> SpdyStream::writable() {
  for (;;) {
    if (lost_) co_return fail(*lost_);
    if (connection_.room_for(id_)) co_return Result<void>{};
    CO_TRY_VOID(co_await connection_.room_.wait());
  }
}

Task<void> SpdyStream::write(Bytes bytes) {
  while (!bytes.empty()) {
    CO_TRY_VOID(co_await writable());
    const auto count = std::min({bytes.size(), kChunk, connection_.session_.sendable(id_)});
    connection_.session_.send(id_, bytes.first(count));
    bytes = bytes.subspan(count);
    connection_.flush();
  }
  co_return Result<void>{};
}

void SpdyStream::finish() {
  connection_.session_.finish(id_);
  connection_.flush();
}

void SpdyStream::reset(base::Error reason) {
  if (lost_) return;
  connection_.session_.reset(id_, SpdyStatus::cancel);
  connection_.flush();
  backlog_.clear();
  on_lost(reason);
  connection_.drained_.notify_all();
}

}  // namespace portforward
