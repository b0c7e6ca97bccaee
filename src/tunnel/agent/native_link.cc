#include "tunnel/agent/native_link.h"

#include <charconv>
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

// How long the server is silent at most, by its own word.
Result<async::Duration> read_ping_interval(const http::Headers& headers) {
  const std::string* text = http::find(headers, "ping-interval-ms");
  if (text == nullptr) return native::kPingInterval;
  std::uint32_t milliseconds = 0;
  const auto [end, error] =
      std::from_chars(text->data(), text->data() + text->size(), milliseconds);
  if (error != std::errc() || end != text->data() + text->size() || milliseconds == 0)
    return fail(Code::invalid,
                fmt::format("the server's ping-interval-ms \"{}\" is no positive number", *text));
  return std::chrono::milliseconds(milliseconds);
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
  auto options =
      native::session_options(http::H2Session::Role::server, context_.windows, context_.budget);
  options.any_message = true;  // a target is what a client wrote; the dial tells what is wrong
  http_ = std::make_unique<http::H2Connection>(context_.executor, std::move(stream), options,
                                               static_cast<http::H2Connection::Handler&>(*this));
  auto outcome = co_await (http_->run() || watch_server() || wait_for_end());
  http_.reset();
  if (ended_) co_return fail(*ended_);
  co_return fail(std::visit([](auto& result) { return result.error(); }, outcome));
}

Task<void> NativeLink::wait_for_welcome() {
  while (!welcomed_) CO_TRY_VOID(co_await changed_.wait());
  co_return Result<void>{};
}

// Fails when the server does not let the agent in in time, or falls silent after that.
Task<void> NativeLink::watch_server() {
  using namespace async::asio::experimental::awaitable_operators;
  (void)co_await (wait_for_welcome() || context_.clock.sleep_for(native::kWelcomeWithin));
  if (!welcomed_) co_return fail(Code::timeout, "the server did not let this agent in within 15s");
  co_return co_await http_->expect_pings(context_.clock, ping_interval_, native::kPatience);
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
  if (auto read = read_introduction(headers); !read) {
    end(std::move(read).error());
    return nullptr;
  }
  ControlStream::Owner& self = *this;
  auto control = std::make_unique<ControlStream>(stream, self);
  control_ = control.get();
  stream.respond(answer());
  return control;
}

Result<void> NativeLink::read_introduction(const http::Headers& headers) {
  TRY(welcome_, read_welcome(headers, kNativeServerHeaders));
  if (welcome_.server_id.empty()) return fail(Code::invalid, "the server-id header is empty");
  TRY(ping_interval_, read_ping_interval(headers));
  return {};
}

http::Headers NativeLink::answer() const {
  http::Headers headers{{":status", "200"},
                        {"agent-id", introduction_.agent_id},
                        {"agent-identifiers", introduction_.identifiers},
                        {"link", std::to_string(introduction_.link)}};
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
                              .id = value(headers, "connection-id"),
                              .server = welcome_.server_id});
  auto handler = connection->attach(stream);
  tasks_.spawn("connection", run_connection(std::move(connection)));
  return handler;
}

void NativeLink::on_control(const ControlMessage& message) {
  switch (message.type) {
    case ControlMessage::Type::welcome:
      if (std::exchange(welcomed_, true)) return;
      changed_.notify_all();
      return listener_.on_welcome(welcome_);
    case ControlMessage::Type::refused:
      return end({Code::unauthenticated, "the server refuses this agent: " + message.reason});
    case ControlMessage::Type::draining:
      return listener_.on_going_away();
    case ControlMessage::Type::more_links:
      return listener_.on_more_links({message.count, message.far});
    default:
      LOG_DEBUG("control message ignored", {"server", welcome_.server_id});
  }
}

void NativeLink::on_control_over(const std::string& reason) {
  control_ = nullptr;
  if (!reason.empty()) end({Code::closed, reason});
}

}  // namespace tunnel
