#include "portforward/tunnel.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include "async/timeout.h"
#include "portforward/next_block.h"

namespace portforward {

using async::Task;
using base::Code;
using base::Result;

namespace {

// The far end has ended both ways; whoever is connected here learns it and goes by itself.
constexpr auto kLinger = std::chrono::seconds(5);
constexpr std::size_t kLargestMessage = 4096;

SpdyHeaders headers_of(std::string type, std::uint16_t port, std::uint64_t request) {
  return {{"port", fmt::to_string(port)},
          {"requestid", fmt::to_string(request)},
          {"streamtype", std::move(type)}};
}

}  // namespace

Task<StreamPair> open_pair(SpdyConnection& connection, std::uint16_t port, std::uint64_t request) {
  StreamPair pair;
  CO_TRY(pair.error, connection.open(headers_of("error", port, request)));
  CO_TRY(pair.data, connection.open(headers_of("data", port, request)));
  CO_TRY_VOID(co_await pair.error->replied());
  CO_TRY_VOID(co_await pair.data->replied());
  pair.error->finish();
  co_return pair;
}

Tunnel::Tunnel(async::Executor executor, async::Clock& clock, net::Stream& local, StreamPair& pair)
    : clock_(clock), local_(local), pair_(pair), changed_(executor) {}

Task<void> Tunnel::run() {
  using namespace async::asio::experimental::awaitable_operators;
  (void)co_await (up() && down() && watch_error());
  // What the far end says explains what else went wrong.
  if (!message_.empty()) co_return base::fail(Code::refused, message_);
  if (failure_) co_return base::fail(*failure_);
  co_return Result<void>{};
}

void Tunnel::fail(base::Error error) {
  if (!failure_) failure_ = std::move(error);
  pair_.data->reset(*failure_);
  pair_.error->reset(*failure_);
  local_.abort();
}

Task<void> Tunnel::up() {
  auto carried = co_await carry_up();
  if (!carried && !left_) fail(std::move(carried).error());
  up_ended_ = true;
  changed_.notify_all();
  if (down_ended_) pair_.error->reset({Code::closed, "the tunnel has ended"});
  co_return Result<void>{};
}

Task<void> Tunnel::down() {
  if (auto carried = co_await carry_down(); !carried) fail(std::move(carried).error());
  down_ended_ = true;
  if (!failure_ && pair_.error->ended()) (void)co_await leave_local();
  if (up_ended_) pair_.error->reset({Code::closed, "the tunnel has ended"});
  co_return Result<void>{};
}

Task<void> Tunnel::carry_up() {
  net::BlockReader reader(local_);
  for (;;) {
    auto block = co_await next_block(reader);
    if (!block) co_return base::fail(block.error().within("local connection"));
    if (block->empty()) break;
    CO_TRY_VOID(co_await pair_.data->write(block->bytes()));
    up_ += block->size();
  }
  pair_.data->finish();
  co_return Result<void>{};
}

Task<void> Tunnel::carry_down() {
  for (;;) {
    CO_TRY(const auto block, co_await pair_.data->read());
    if (block.empty()) break;
    auto written = co_await local_.write_all(block.bytes());
    if (!written) co_return base::fail(written.error().within("local connection"));
    down_ += block.size();
  }
  (void)co_await local_.shutdown_write();
  co_return Result<void>{};
}

// The far end closes the error stream last when it is through with the port: nobody takes any more
// what still comes from here.
Task<void> Tunnel::leave_local() {
  (void)co_await async::with_timeout(clock_, kLinger, "local connection", until_up_ended());
  left_ = true;
  if (!up_ended_) local_.close();
  co_return Result<void>{};
}

Task<void> Tunnel::until_up_ended() {
  while (!up_ended_) CO_TRY_VOID(co_await changed_.wait());
  co_return Result<void>{};
}

Task<void> Tunnel::watch_error() {
  for (;;) {
    const auto block = co_await pair_.error->read();
    if (!block || block->empty()) break;
    message_ += base::as_text(
        block->bytes().first(std::min(block->size(), kLargestMessage - message_.size())));
    if (message_.size() == kLargestMessage) break;
  }
  if (!message_.empty()) fail({Code::refused, message_});
  co_return Result<void>{};
}

}  // namespace portforward
