#include "tunnel/agent/target_connection.h"

#include <array>
#include <utility>

#include "tunnel/agent/connect_stream.h"
#include "tunnel/agent/link_connections.h"

namespace tunnel {
namespace {

using async::Task;
using base::Result;

}  // namespace

// What exists from DIAL_RSP on.
struct TargetConnection::Channel {
  Channel(TargetConnection& owner, ConnectStream& stream, net::Socket connected)
      : socket(net::make_socket_stream(std::move(connected))),
        flow(stream.sender(), owner, owner.context_.budget),
        relay(owner.context_.executor, *socket, flow, owner.context_.clock,
              owner.context_.stall_watch, owner.context_.budget, owner, {}) {
    flow.set_connect_id(owner.request_.connect_id);
  }

  std::unique_ptr<net::Stream> socket;
  Flow flow;
  Relay relay;
};

TargetConnection::TargetConnection(AgentContext& context, LinkConnections& link, Request request)
    : context_(context),
      link_(link),
      request_(std::move(request)),
      started_(context.clock.now()),
      changed_(context.executor) {}

TargetConnection::~TargetConnection() {
  link_.forget(*this);
  if (!channel_) return;
  context_.metrics.open_endpoint_connections.subtract();
  if (link_.stream() != nullptr) link_.stream()->congestion().remove(channel_->relay);
}

Task<void> TargetConnection::run() {
  auto socket = co_await dial();
  if (cancelled_) {
    log_end("dial cancelled");
    co_return Result<void>{};
  }
  if (!socket) {
    dial_failed(socket.error());
    co_return Result<void>{};
  }
  co_return co_await carry(std::move(*socket));
}

Task<net::Socket> TargetConnection::dial() {
  net::Dial dial(context_.executor, context_.clock);
  dial_ = &dial;
  if (cancelled_) dial.stop();
  auto socket = co_await dial_target(context_, request_.target, dial);
  dial_ = nullptr;
  co_return socket;
}

void TargetConnection::cancel_dial() {
  cancelled_ = true;
  if (dial_ != nullptr) dial_->stop();
}

void TargetConnection::dial_failed(const base::Error& error) {
  error_ = error.message;
  log_end("dial failed");
  link_.stream()->send(PacketType::dial_response,
                       encode_dial_response(request_.random, 0, error.message));
}

void TargetConnection::establish(net::Socket socket) {
  context_.metrics.open_endpoint_connections.add();
  ConnectStream& stream = *link_.stream();
  channel_ = std::make_unique<Channel>(*this, stream, std::move(socket));
  link_.established(*this);
  stream.send(PacketType::dial_response,
              encode_dial_response(request_.random, request_.connect_id, ""));
}

Task<void> TargetConnection::carry(net::Socket socket) {
  establish(std::move(socket));
  CO_TRY_VOID(co_await channel_->relay.run());
  if (channel_->relay.overloaded())
    end(end_ == End::none ? End::overflow : end_, channel_->relay.failure());
  const bool target_writes =
      channel_->relay.read_end() == Relay::ReadEnd::none && channel_->relay.failure().empty();
  CO_TRY_VOID(co_await close_target(context_.clock, *channel_->socket, target_writes));
  CO_TRY_VOID(co_await flow_sent());
  context_.metrics.connection_closed(std::string(name(end_)));
  log_end("connection ended");
  co_return Result<void>{};
}

void TargetConnection::deliver(base::Bytes bytes) {
  if (bytes.empty() || end_ != End::none) return;
  channel_->relay.deliver(bytes);
  link_.stream()->congestion().delivered(channel_->relay, bytes.size());
}

void TargetConnection::close() { end(End::client, ""); }

void TargetConnection::link_lost() { end(End::server_lost, ""); }

// The number stays known until CLOSE_RSP is on its way: an answer to a late packet, as for an
// unknown number, would overtake what the target has sent.
void TargetConnection::end(End why, const std::string& error) {
  if (end_ != End::none) return;
  end_ = why;
  error_ = error;
  if (ConnectStream* stream = link_.stream()) {
    stream->congestion().remove(channel_->relay);
    stream->count_sent(PacketType::close_response);
    channel_->flow.finish(encode_close_response(request_.connect_id, error));
  }
  channel_->relay.finish();
}

Task<void> TargetConnection::flow_sent() {
  while (!channel_->flow.empty() && !channel_->flow.lost()) CO_TRY_VOID(co_await changed_.wait());
  co_return Result<void>{};
}

void TargetConnection::on_read(std::size_t bytes) {
  context_.metrics.bytes_from_target.add(static_cast<double>(bytes));
  if (link_.stream() != nullptr && !channel_->flow.finished())
    link_.stream()->count_sent(PacketType::data);
}

void TargetConnection::on_read_end(Relay::ReadEnd read_end) {
  const bool failed = read_end == Relay::ReadEnd::failed;
  if (channel_->relay.overloaded()) return;  // carry() says why
  end(End::target,
      failed ? fmt::format("read tcp {}: {}", channel_->socket->peer(), channel_->relay.failure())
             : "");
}

void TargetConnection::on_written(std::size_t count) {
  context_.metrics.bytes_to_target.add(static_cast<double>(count));
  if (link_.stream() != nullptr) link_.stream()->congestion().drained(channel_->relay);
}

void TargetConnection::on_flow_drained() {
  if (!channel_) return;  // the flow is being made
  if (end_ != End::none && channel_->flow.empty()) link_.forget(*this);
  channel_->relay.on_room();
  changed_.notify_all();
}

std::string_view TargetConnection::name(End why) {
  switch (why) {
    case End::none:
      break;
    case End::client:
      return "client";
    case End::target:
      return "target";
    case End::server_lost:
      return "server_lost";
    case End::overflow:
      return "overflow";
  }
  return "none";
}

void TargetConnection::log_end(std::string_view message) const {
  log_target(context_, message, request_.target, started_,
             {.how = name(end_),
              .error = error_,
              .sent = channel_ ? channel_->relay.bytes_written() : 0,
              .received = channel_ ? channel_->relay.bytes_read() : 0});
}

}  // namespace tunnel
