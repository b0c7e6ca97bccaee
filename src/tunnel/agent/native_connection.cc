#include "tunnel/agent/native_connection.h"

#include <utility>

#include "tunnel/proxy_status.h"

namespace tunnel {

using async::Task;
using base::Result;

NativeConnection::NativeConnection(AgentContext& context, TargetRequest request)
    : context_(context),
      request_(std::move(request)),
      started_(context.clock.now()),
      early_(&context.budget),
      stream_(*this) {}

NativeConnection::~NativeConnection() {
  if (socket_) context_.metrics.open_endpoint_connections.subtract();
}

Task<void> NativeConnection::run() {
  CO_TRY(const bool connected, co_await connect());
  if (connected) CO_TRY_VOID(co_await carry());
  co_return Result<void>{};
}

// Up to what the server is told of the outcome.
Task<bool> NativeConnection::connect() {
  auto socket = co_await dial();
  if (broken_) {
    finish("dial cancelled");
  } else if (!socket) {
    refuse(socket.error());
  } else {
    establish(std::move(*socket));
  }
  co_return relay_.has_value();
}

Task<net::Socket> NativeConnection::dial() {
  net::Dial dial(context_.executor, context_.clock);
  dial_ = &dial;
  if (broken_) dial.stop();
  auto socket = co_await dial_target(context_, request_, dial);
  dial_ = nullptr;
  co_return socket;
}

void NativeConnection::refuse(const base::Error& error) {
  end_.error = error.message;
  finish("dial failed");
  stream_.refuse(dial_failure_headers(error));
}

void NativeConnection::establish(net::Socket socket) {
  context_.metrics.open_endpoint_connections.add();
  socket_ = net::make_socket_stream(std::move(socket));
  Relay::Listener& listener = *this;
  relay_.emplace(context_.executor, *socket_, stream_, context_.clock, context_.stall_watch,
                 context_.budget, listener, Relay::Options{.half_close = Relay::HalfClose::yes});
  stream_.stream()->respond({{":status", "200"}});
  while (!early_.empty()) relay_->deliver(early_.pop().bytes());
  if (client_done_) relay_->finish();
}

Task<void> NativeConnection::carry() {
  CO_TRY_VOID(co_await relay_->run());
  const bool broke = !broken_ && (relay_->aborted() || !stream_.finished());
  if (broke) {
    end_.how = relay_->overloaded() ? "overflow" : "target";
    end_.error = relay_->failure();
    stream_.reset(relay_->overloaded() ? http::H2Error::enhance_your_calm : http::H2Error::connect);
  }
  socket_->close();
  context_.metrics.connection_closed(std::string(end_.how));
  finish("connection ended");
  co_return Result<void>{};
}

void NativeConnection::finish(std::string_view message) {
  if (relay_) {
    end_.sent = relay_->bytes_written();
    end_.received = relay_->bytes_read();
  }
  log_target(context_, message, request_, started_, end_);
}

void NativeConnection::on_bytes(base::Pieces pieces) {
  if (relay_) return relay_->deliver(pieces);
  for (const base::Bytes bytes : pieces) early_.append(bytes);
}

void NativeConnection::on_end() {
  client_done_ = true;
  if (end_.how == "none") end_.how = "client";
  if (relay_) relay_->finish();
}

void NativeConnection::on_reset(http::H2Error error) {
  broken_ = error;
  end_.how = error == http::H2Error::connection_lost ? "server_lost" : "client";
  if (relay_ && client_done_) {
    relay_->leave();
  } else if (relay_) {
    relay_->abort("the server's side of the connection was reset");
  } else if (dial_ != nullptr) {
    dial_->stop();
  }
}

void NativeConnection::on_room() {
  if (relay_) relay_->on_room();
}

void NativeConnection::on_read_end(Relay::ReadEnd end) {
  if (end != Relay::ReadEnd::half_closed) return;
  if (end_.how == "none") end_.how = "target";
  stream_.finish();
}

void NativeConnection::on_read(std::size_t count) {
  context_.metrics.bytes_from_target.add(static_cast<double>(count));
}

void NativeConnection::on_written(std::size_t count) {
  context_.metrics.bytes_to_target.add(static_cast<double>(count));
  stream_.consumed(count);
}

}  // namespace tunnel
