#include "tunnel/agent/native_link.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/log.h"
#include "tunnel/agent/link_headers.h"
#include "tunnel/agent/native_connection.h"
#include "tunnel/native.h"

namespace tunnel {
namespace {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

std::string value(const http::Headers& headers, std::string_view name) {
  const std::string* found = http::find(headers, name);
  return found == nullptr ? "" : *found;
}

Task<void> run_connection(std::unique_ptr<NativeConnection> connection) {
  co_return co_await connection->run();
}

}  // namespace

NativeLink::NativeLink(AgentContext& context, Listener& listener, Introduction introduction)
    : context_(context),
      listener_(listener),
      introduction_(std::move(introduction)),
      changed_(context.executor),
      tasks_(context.executor) {}

NativeLink::~NativeLink() = default;

Task<void> NativeLink::run(std::unique_ptr<net::Stream> stream) {
  using namespace async::asio::experimental::awaitable_operators;
  http_ = std::make_unique<http::H2Connection>(
      context_.executor, std::move(stream),
      native::session_options(http::H2Session::Role::server, context_.windows, context_.budget),
      static_cast<http::H2Connection::Handler&>(*this));
  auto outcome = co_await (
      http_->run() || wait_for_welcome() || wait_for_end() ||
      http_->expect_pings(context_.clock, native::kPingInterval, native::kSilentIntervals));
  http_.reset();
  if (ended_) co_return fail(*ended_);
  co_return fail(std::visit([](auto& result) { return result.error(); }, outcome));
}

// Fails when the server does not let the agent in in time; does not end otherwise.
Task<void> NativeLink::wait_for_welcome() {
  CO_TRY_VOID(co_await context_.clock.sleep_for(native::kWelcomeWithin));
  while (welcomed_) CO_TRY_VOID(co_await changed_.wait());
  co_return fail(Code::timeout, "the server did not let this agent in within 15s");
}

Task<void> NativeLink::wait_for_end() {
  while (!ended_) CO_TRY_VOID(co_await changed_.wait());
  co_return fail(*ended_);
}

void NativeLink::end(base::Error why) {
  if (!ended_) ended_ = std::move(why);
  changed_.notify_all();
}

void NativeLink::drain() {
  if (control_ != nullptr) control_->send({.type = ControlMessage::Type::draining});
}

std::unique_ptr<http::H2StreamHandler> NativeLink::on_request(http::H2Stream& stream,
                                                              const http::Headers& headers) {
  const std::string method = value(headers, ":method");
  if (method == "CONNECT" && welcomed_) return open_connection(stream, headers);
  if (method == "POST" && value(headers, ":path") == native::kControlPath && control_ == nullptr)
    return open_control(stream, headers);
  return nullptr;  // refused
}

std::unique_ptr<http::H2StreamHandler> NativeLink::open_control(http::H2Stream& stream,
                                                                const http::Headers& headers) {
  auto welcome = read_welcome(headers, kNativeServerHeaders);
  if (!welcome) {
    end(std::move(welcome).error());
    return nullptr;
  }
  welcome_ = *std::move(welcome);
  ControlStream::Owner& self = *this;
  auto control = std::make_unique<ControlStream>(stream, self);
  control_ = control.get();
  stream.respond(answer());
  return control;
}

http::Headers NativeLink::answer() const {
  http::Headers headers{{":status", "200"},
                        {"agent-id", introduction_.agent_id},
                        {"agent-identifiers", introduction_.identifiers}};
  if (!introduction_.token.empty())
    headers.push_back({"authorization", "Bearer " + introduction_.token});
  return headers;
}

std::unique_ptr<http::H2StreamHandler> NativeLink::open_connection(http::H2Stream& stream,
                                                                   const http::Headers& headers) {
  context_.metrics.dials.add();
  const std::string network = value(headers, "network");
  auto connection = std::make_unique<NativeConnection>(
      context_, TargetRequest{.network = network.empty() ? "tcp" : network,
                              .address = value(headers, ":authority"),
                              .id = value(headers, "connection"),
                              .server = welcome_.server_id});
  auto handler = connection->attach(stream);
  tasks_.spawn("connection", run_connection(std::move(connection)));
  return handler;
}

void NativeLink::on_control(const ControlMessage& message) {
  switch (message.type) {
    case ControlMessage::Type::welcome:
      if (std::exchange(welcomed_, true)) return;
      return listener_.on_welcome(welcome_);
    case ControlMessage::Type::refused:
      return end({Code::unauthenticated, "the server refuses this agent: " + message.reason});
    case ControlMessage::Type::draining:
      return listener_.on_going_away();
    default:
      LOG_DEBUG("control message ignored", {"server", welcome_.server_id});
  }
}

void NativeLink::on_control_over(const std::string& reason) {
  control_ = nullptr;
  if (!reason.empty()) end({Code::closed, reason});
}

}  // namespace tunnel
