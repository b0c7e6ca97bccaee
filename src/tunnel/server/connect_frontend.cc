#include "tunnel/server/connect_frontend.h"

#include <utility>

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
                                 Client client, ConnectRequest request)
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
  CO_TRY_VOID(co_await dial(std::move(target_)));
  if (phase_ == Phase::established) {
    send_early();
    auto result = co_await relay_->run();
    release_leg();
    if (relay_->overloaded()) context_.metrics.connection_closed("overflow");
    CO_TRY_VOID(std::move(result));
  }
  co_return co_await close();
}

// Up to what the client is told of the outcome.
Task<void> ConnectFrontend::dial(std::string target) {
  requested_ = true;
  context_.metrics.http_connections.add();
  Leg::Frontend& self = *this;
  const DialRequest request{.network = "tcp", .target = std::move(target)};
  const Dialed dialed = dial_any(context_, self, request, client_);
  leg_ = dialed.leg;
  if (leg_ == nullptr) co_return co_await reply(dial_failure_reply(dialed.reason, dialed.error));
  CO_TRY_VOID(co_await wait_for_answer());
  if (client_gone_) co_return fail(Code::closed, "client left while dialing");
  const std::string outcome = phase_ == Phase::established ? kEstablished : failure_reply_;
  co_return co_await reply(outcome);
}

// A client that leaves ends the dial. What it sends early is kept, up to a bound.
Task<void> ConnectFrontend::wait_for_answer() {
  const auto state = co_await async::asio::this_coro::cancellation_state;
  while (phase_ == Phase::dialing && !client_gone_) {
    (void)co_await wait_for_news();
    if (async::is_cancelled(state)) co_return fail(Code::cancelled, "cancelled");
    read_early();
  }
  co_return Result<void>{};
}

Task<void> ConnectFrontend::wait_for_news() {
  if (early_.size() >= kEarlyBytes) return changed_.wait();
  return client_done_ ? wait_until_gone() : stream_->wait_readable();
}

// A client that said its end may still read, so only its going ends the dial.
Task<void> ConnectFrontend::wait_until_gone() {
  client_gone_ = (co_await stream_->wait_gone()).has_value();
  co_return Result<void>{};
}

void ConnectFrontend::read_early() {
  if (phase_ != Phase::dialing || client_done_ || early_.size() >= kEarlyBytes) return;
  std::array<std::uint8_t, 4096> block;
  const auto count = stream_->try_read(block);
  if (!count) return;
  client_gone_ = !*count;
  client_done_ = *count && **count == 0;
  if (*count) early_.append(reinterpret_cast<const char*>(block.data()), **count);
}

void ConnectFrontend::answered(Phase phase) {
  phase_ = phase;
  changed_.notify_all();
  stream_->interrupt();
}

void ConnectFrontend::on_dialed(Leg& leg) {
  const auto half_close = leg.half_close() ? Relay::HalfClose::yes : Relay::HalfClose::linger;
  const Relay::Options options{
      .half_close = half_close, .linger = kHalfCloseLinger, .departures = &context_.departures};
  Relay::Listener& listener = *this;
  relay_.emplace(context_.executor, *stream_, leg.outlet(), context_.clock, context_.stall_watch,
                 context_.budget, listener, options);
  answered(Phase::established);
}

void ConnectFrontend::on_dial_failed(Leg&, DialFailure reason, const std::string& error) {
  leg_ = nullptr;
  failure_reply_ = dial_failure_reply(reason, error);
  answered(Phase::failed);
}

void ConnectFrontend::send_early() {
  if (early_.empty() || leg_ == nullptr) return;
  base::Buffer block(early_.size());
  block.append(base::as_bytes(early_));
  leg_->count_up(early_.size());
  leg_->outlet().push(std::move(block));
  early_.clear();
}

void ConnectFrontend::on_bytes(Leg&, base::Pieces pieces, base::Bytes) {
  const async::TimePoint began = context_.clock.now();
  relay_->deliver(pieces);
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
