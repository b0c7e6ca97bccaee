#include "tunnel/agent/konnectivity_link.h"

#include <algorithm>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "tunnel/agent/link_headers.h"

namespace tunnel {
namespace {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

constexpr http::H2Session::Options kWindows{.role = http::H2Session::Role::client,
                                            .stream_window = 4 << 20,
                                            .connection_window = 64 << 20,
                                            .max_frame_size = 64 << 10};

base::Error to_error(const grpc::Status& status) {
  if (status.ok()) return {Code::closed, "the server ended the stream"};
  return {Code::closed, fmt::format("{}: {}", grpc::go_name(status.code), status.message)};
}

// A pause between pings that no server takes for a flood.
async::Duration tolerable(async::Duration keepalive) {
  return std::max<async::Duration>(keepalive, std::chrono::seconds(10));
}

}  // namespace

KonnectivityLink::KonnectivityLink(AgentContext& context, Listener& listener, Options options)
    : context_(context),
      listener_(listener),
      options_(std::move(options)),
      changed_(context.executor),
      congested_(context.executor),
      connections_(context) {}

Task<void> KonnectivityLink::run(std::unique_ptr<net::Stream> stream) {
  using namespace async::asio::experimental::awaitable_operators;
  http::H2Session::Options windows = kWindows;
  windows.windows = &context_.windows;
  http_ = std::make_unique<http::H2Connection>(context_.executor, std::move(stream), windows,
                                               static_cast<http::H2Connection::Handler&>(*this));
  CO_TRY_VOID(http_->session().request(
      request_headers(), [this](http::H2Stream& opened) { return make_call(opened); }));
  auto outcome =
      co_await (http_->run() ||
                http_->keep_alive(context_.clock, tolerable(options_.keepalive), kPingPatience) ||
                wait_for_welcome() || tick_congestion());
  http_.reset();
  co_return fail(reason(std::visit([](auto& ended) { return ended.error(); }, outcome)));
}

// The server's own words first, then what the transport said.
base::Error KonnectivityLink::reason(const base::Error& end) const {
  const bool cut = !call_status_ || call_status_->code == grpc::StatusCode::cancelled;
  if (!cut && !call_status_->ok()) return to_error(*call_status_);
  return call_status_ && end.is(Code::cancelled) ? to_error(*call_status_) : end;
}

std::unique_ptr<ConnectStream> KonnectivityLink::make_call(http::H2Stream& stream) {
  ConnectStream::Owner& owner = *this;
  return std::make_unique<ConnectStream>(stream, context_, owner, connections_);
}

http::Headers KonnectivityLink::request_headers() const {
  const Introduction& self = options_.introduction;
  http::Headers metadata{{"user-agent", "cluster-proxy"},
                         {"agentid", self.agent_id},
                         {"agentidentifiers", self.identifiers}};
  if (!self.token.empty()) metadata.push_back({"authorization", "Bearer " + self.token});
  return grpc::request_headers("/AgentService/Connect", options_.authority, metadata);
}

// Fails when the server does not say in time who it is; does not end otherwise.
Task<void> KonnectivityLink::wait_for_welcome() {
  CO_TRY_VOID(co_await context_.clock.sleep_for(kHeadersLimit));
  while (welcomed_) CO_TRY_VOID(co_await changed_.wait());
  co_return fail(Code::timeout, "the server did not answer the call within 15s");
}

Task<void> KonnectivityLink::tick_congestion() {
  for (;;) {
    ConnectStream* stream = connections_.stream();
    if (stream == nullptr || !stream->congestion().active()) {
      CO_TRY_VOID(co_await congested_.wait());
      continue;
    }
    stream->congestion().tick();
    CO_TRY_VOID(co_await context_.clock.sleep_for(Congestion::kTick));
  }
}

void KonnectivityLink::drain() {
  if (connections_.stream() != nullptr)
    connections_.stream()->send(PacketType::drain, encode_drain());
}

void KonnectivityLink::on_response_headers(const http::Headers& headers) {
  if (http::find(headers, "grpc-status") != nullptr) return;  // the end of the call says more
  auto welcome = read_welcome(headers, kKonnectivityServerHeaders);
  if (!welcome) return listener_.on_failure(std::move(welcome).error());
  welcomed_ = true;
  connections_.set_server_id(welcome->server_id);
  listener_.on_welcome(*std::move(welcome));
}

void KonnectivityLink::on_call_ended(const grpc::Status& status) {
  call_status_ = status;
  if (http_ != nullptr) http_->close();  // it may be what ends the call
}

}  // namespace tunnel
