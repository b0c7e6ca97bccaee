#include "tunnel/server/connect_frontend.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/log.h"
#include "tunnel/server/backend.h"
#include "tunnel/server/connect_replies.h"

namespace tunnel {
namespace {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

constexpr async::Duration kHalfCloseLinger = std::chrono::seconds(30);
constexpr std::size_t kEarlyBytes = 64 * 1024;
constexpr char kEstablished[] = "HTTP/1.1 200 Connection Established\r\n\r\n";

}  // namespace

ConnectFrontend::ConnectFrontend(ServerContext& context, std::unique_ptr<net::Stream> stream,
                                 std::string client, ConnectRequest request)
    : context_(context),
      stream_(std::move(stream)),
      client_(std::move(client)),
      changed_(context.executor),
      target_(std::move(request.target)),
      early_(std::move(request.early)) {}

ConnectFrontend::~ConnectFrontend() {
  release_leg();
  if (requested_) context_.metrics.http_connections.subtract();
}

void ConnectFrontend::release_leg() {
  Leg* leg = std::exchange(leg_, nullptr);
  if (leg != nullptr) leg->abandon(DialFailure::frontend_close);
}

Task<void> ConnectFrontend::run() {
  CO_TRY(const bool established, co_await dial(std::move(target_)));
  if (established) CO_TRY_VOID(co_await relay());
  co_return co_await close();
}

Task<bool> ConnectFrontend::dial(std::string target) {
  requested_ = true;
  context_.metrics.http_connections.add();
  Leg::Frontend& self = *this;
  const DialRequest request{.network = "tcp", .target = std::move(target)};
  leg_ = dial_any(context_, self, request);
  if (leg_ == nullptr) {
    CO_TRY_VOID(co_await reply(dial_failure_reply(DialFailure::no_agent, "")));
    co_return false;
  }
  CO_TRY_VOID(co_await wait_for_answer());
  if (client_gone_) co_return fail(Code::closed, "client left while dialing");
  if (phase_ == Phase::failed) {
    if (!failure_reply_.empty()) CO_TRY_VOID(co_await reply(failure_reply_));
    co_return false;
  }
  co_return true;
}

Task<void> ConnectFrontend::wait_for_answer() {
  using namespace async::asio::experimental::awaitable_operators;
  const auto answered = [](ConnectFrontend& self) -> Task<void> {
    while (self.phase_ == Phase::dialing) CO_TRY_VOID(co_await self.changed_.wait());
    co_return Result<void>{};
  };
  (void)co_await (answered(*this) || watch_client());
  co_return Result<void>{};
}

// Returns when the client has left. What it sends early is kept, up to a bound.
Task<void> ConnectFrontend::watch_client() {
  std::array<std::uint8_t, 4096> block;
  while (early_.size() < kEarlyBytes) {
    CO_TRY_VOID(co_await stream_->wait_readable());
    const auto count = co_await stream_->read_some(block);
    if (!count) {
      client_gone_ = true;
      co_return Result<void>{};
    }
    if (*count == 0) {  // it may still read, so only its going ends the dial
      client_gone_ = (co_await stream_->wait_gone()).has_value();
      co_return Result<void>{};
    }
    early_.append(reinterpret_cast<const char*>(block.data()), *count);
  }
  while (phase_ == Phase::dialing) CO_TRY_VOID(co_await changed_.wait());
  co_return Result<void>{};
}

void ConnectFrontend::on_dialed(Leg& leg) {
  const auto half_close = leg.half_close() ? Relay::HalfClose::yes : Relay::HalfClose::linger;
  const Relay::Options options{.half_close = half_close, .linger = kHalfCloseLinger};
  Relay::Listener& listener = *this;
  relay_.emplace(context_.executor, *stream_, leg.outlet(), context_.clock, context_.stall_watch,
                 context_.budget, listener, options);
  phase_ = Phase::established;
  changed_.notify_all();
}

void ConnectFrontend::on_dial_failed(Leg&, DialFailure reason, const std::string& error) {
  leg_ = nullptr;
  failure_reply_ = dial_failure_reply(reason, error);
  phase_ = Phase::failed;
  changed_.notify_all();
}

Task<void> ConnectFrontend::relay() {
  CO_TRY_VOID(co_await reply(kEstablished));
  send_early();
  auto result = co_await relay_->run();
  release_leg();
  if (relay_->overloaded()) context_.metrics.connection_closed("overflow");
  co_return result;
}

void ConnectFrontend::send_early() {
  if (early_.empty() || leg_ == nullptr) return;
  base::Buffer block(early_.size());
  block.append(base::as_bytes(early_));
  leg_->count_up(early_.size());
  leg_->outlet().push(std::move(block));
  early_.clear();
}

void ConnectFrontend::on_bytes(Leg&, base::Bytes bytes, base::Bytes) {
  const async::TimePoint began = context_.clock.now();
  relay_->deliver(bytes);
  context_.metrics.frontend_write_duration.observe(
      std::chrono::duration<double>(context_.clock.now() - began).count());
}

void ConnectFrontend::on_target_done(Leg&) { relay_->finish(); }

void ConnectFrontend::on_closed(Leg&, const std::string& error, bool truncated) {
  leg_ = nullptr;
  truncated_ = truncated || !error.empty();
  relay_->leave();
}

void ConnectFrontend::on_overload(Leg&, const std::string& reason) { relay_->on_overload(reason); }

void ConnectFrontend::on_room(Leg&) {
  if (relay_) relay_->on_room();
}

void ConnectFrontend::on_read_end(Relay::ReadEnd end) {
  if (leg_ != nullptr && end == Relay::ReadEnd::half_closed) leg_->finish();
}

void ConnectFrontend::on_read(std::size_t count) {
  if (leg_ != nullptr) leg_->count_up(count);
}

void ConnectFrontend::on_written(std::size_t count) {
  if (leg_ != nullptr) leg_->consumed(count);
}

Task<void> ConnectFrontend::reply(std::string text) {
  co_return co_await stream_->write_all(base::as_bytes(text));
}

// A stream whose end is missing must not look whole to the client.
Task<void> ConnectFrontend::close() {
  if (!truncated_ && !(relay_ && relay_->overloaded()))
    co_return co_await close_gracefully(*stream_);
  stream_->abort();
  co_return Result<void>{};
}

}  // namespace tunnel
