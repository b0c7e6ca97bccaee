#include "tunnel/agent/server_link.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "async/timeout.h"
#include "base/log.h"

namespace tunnel {
namespace {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

constexpr std::uint32_t kStreamWindow = 4 << 20;       // bytes
constexpr std::uint32_t kConnectionWindow = 16 << 20;  // bytes

// Editors end files with a newline, which a header must not carry.
Result<std::string> read_token(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    return fail(
        base::system_error(errno, "read the token")
            .within(fmt::format(
                "the token file {} (check --service-account-token-path and its mount)", file)));
  }
  std::string token{std::istreambuf_iterator<char>(in), {}};
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (token.empty())
    return fail(Code::invalid, fmt::format("the token file {} is empty or not a file (check "
                                           "--service-account-token-path and its mount)",
                                           file));
  return token;
}

// The value of a header that must be there once.
Result<std::string> single(const http::Headers& headers, std::string_view name) {
  const std::size_t found = http::count(headers, name);
  if (found != 1)
    return fail(Code::invalid,
                fmt::format("the server sent {} {} headers instead of one", found, name));
  return *http::find(headers, name);
}

Result<ServerLink::Welcome> read_welcome(const http::Headers& headers) {
  ServerLink::Welcome welcome;
  TRY(welcome.server_id, single(headers, "serverid"));
  TRY(const std::string count, single(headers, "servercount"));
  const auto [end, error] =
      std::from_chars(count.data(), count.data() + count.size(), welcome.server_count);
  if (error != std::errc() || end != count.data() + count.size())
    return fail(Code::invalid, fmt::format("the server's count \"{}\" is not a number", count));
  return welcome;
}

base::Error to_error(const grpc::Status& status) {
  if (status.ok()) return {Code::closed, "the server ended the stream"};
  return {Code::closed, fmt::format("{}: {}", grpc::go_name(status.code), status.message)};
}

// A pause between pings that no server takes for a flood.
async::Duration tolerable(async::Duration keepalive) {
  return std::max<async::Duration>(keepalive, std::chrono::seconds(10));
}

}  // namespace

ServerLink::ServerLink(AgentContext& context, const TlsSource& tls, const Options& options,
                       ServerRoute route, std::function<void(ServerLink&)> on_change)
    : context_(context),
      tls_(tls),
      options_(options),
      route_(std::move(route)),
      on_change_(std::move(on_change)),
      changed_(context.executor),
      congested_(context.executor),
      connections_(context) {}

Task<void> ServerLink::run() {
  using namespace async::asio::experimental::awaitable_operators;
  auto outcome = co_await (serve() || wait_for_end());
  http_.reset();
  error_ =
      reason(outcome.index() == 0 ? std::get<0>(outcome).error() : std::get<1>(outcome).error());
  set_state(State::lost);
  co_await connections_.join();
  co_return Result<void>{};
}

// The server's own words first, then what the transport said.
base::Error ServerLink::reason(const base::Error& end) const {
  if (ended_) return *ended_;
  const bool cut = !call_status_ || call_status_->code == grpc::StatusCode::cancelled;
  if (!cut && !call_status_->ok()) return to_error(*call_status_);
  return call_status_ && end.is(Code::cancelled) ? to_error(*call_status_) : end;
}

// Ends with an error always: that is why the link is lost.
Task<void> ServerLink::serve() {
  using namespace async::asio::experimental::awaitable_operators;
  CO_TRY(const auto headers, request_headers());
  CO_TRY(auto stream, co_await secure_stream());
  const http::H2Session::Options windows{.role = http::H2Session::Role::client,
                                         .stream_window = kStreamWindow,
                                         .connection_window = kConnectionWindow};
  http_ = std::make_unique<http::H2Connection>(context_.executor, std::move(stream), windows,
                                               static_cast<http::H2Connection::Handler&>(*this));
  CO_TRY_VOID(http_->session().request(
      headers, [this](http::H2Stream& opened) { return make_call(opened); }));
  auto outcome =
      co_await (http_->run() ||
                http_->keep_alive(context_.clock, tolerable(options_.keepalive), kPingPatience) ||
                wait_for_welcome() || tick_congestion());
  co_return std::visit([](auto& result) { return std::move(result); }, outcome);
}

std::unique_ptr<ConnectStream> ServerLink::make_call(http::H2Stream& stream) {
  ConnectStream::Owner& owner = *this;
  return std::make_unique<ConnectStream>(stream, context_, owner, connections_);
}

Task<std::unique_ptr<net::Stream>> ServerLink::secure_stream() {
  CO_TRY(auto transport, co_await connect(context_.clock, route_, kConnectLimit));
  CO_TRY(auto stream, co_await async::with_timeout(
                          context_.clock, kHandshakeLimit, "TLS handshake with " + route_.address,
                          net::tls_handshake(std::move(transport), tls_(), options_.server_name)));
  co_return std::unique_ptr<net::Stream>(std::move(stream));
}

Result<http::Headers> ServerLink::request_headers() const {
  const AgentIdentity& identity = options_.identity;
  http::Headers metadata{{"user-agent", "cluster-proxy"},
                         {"agentid", identity.agent_id},
                         {"agentidentifiers", identity.identifiers}};
  if (!identity.token_file.empty()) {
    TRY(const std::string token, read_token(identity.token_file));
    metadata.push_back({"authorization", "Bearer " + token});
  }
  return grpc::request_headers("/AgentService/Connect", route_.authority, metadata);
}

// Fails when the server does not say in time who it is; does not end otherwise.
Task<void> ServerLink::wait_for_welcome() {
  CO_TRY_VOID(co_await context_.clock.sleep_for(kHeadersLimit));
  while (state_ != State::opening) CO_TRY_VOID(co_await changed_.wait());
  co_return fail(Code::timeout, "the server did not answer the call within 15s");
}

Task<void> ServerLink::wait_for_end() {
  while (!ended_) CO_TRY_VOID(co_await changed_.wait());
  co_return fail(*ended_);
}

Task<void> ServerLink::tick_congestion() {
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

void ServerLink::close() { end({Code::cancelled, "closed by us"}); }

void ServerLink::stop() {
  close();
  connections_.stop();
}

void ServerLink::end(base::Error why) {
  if (!ended_) ended_ = std::move(why);
  changed_.notify_all();
}

void ServerLink::drain() {
  if (connections_.stream() == nullptr || state_ == State::opening) return;
  if (std::exchange(draining_, true)) return;
  connections_.stream()->send(PacketType::drain, encode_drain());
}

void ServerLink::set_state(State state) {
  state_ = state;
  changed_.notify_all();
  on_change_(*this);
}

void ServerLink::on_goaway(std::uint32_t) {
  if (state_ == State::open) set_state(State::going_away);
}

void ServerLink::on_response_headers(const http::Headers& headers) {
  if (http::find(headers, "grpc-status") != nullptr) return;  // the end of the call says more
  auto welcome = read_welcome(headers);
  if (!welcome) return end(std::move(welcome).error());
  welcome_ = *std::move(welcome);
  connections_.set_server_id(welcome_.server_id);
  set_state(State::open);
}

void ServerLink::on_call_ended(const grpc::Status& status) {
  call_status_ = status;
  if (http_ != nullptr) http_->close();  // it may be what ends the call
}

void ServerLink::on_congested() { congested_.notify_all(); }

}  // namespace tunnel
