#include "tunnel/agent/server_link.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "async/timeout.h"
#include "base/log.h"
#include "tunnel/agent/konnectivity_link.h"
#include "tunnel/agent/link_headers.h"
#include "tunnel/agent/native_link.h"
#include "tunnel/native.h"

namespace tunnel {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

ServerLink::ServerLink(AgentContext& context, const TlsSource& tls, const Options& options,
                       ServerRoute route, std::function<void(ServerLink&)> on_change)
    : context_(context),
      tls_(tls),
      options_(options),
      route_(std::move(route)),
      on_change_(std::move(on_change)),
      changed_(context.executor) {}

Task<void> ServerLink::run() {
  using namespace async::asio::experimental::awaitable_operators;
  auto outcome = co_await (serve() || wait_for_end() || wait_for_retirement());
  if (protocol_) protocol_->disconnect();
  error_ = ended_ ? *ended_ : std::visit([](auto& result) { return result.error(); }, outcome);
  set_state(State::lost);
  if (protocol_) co_await protocol_->join();
  co_return Result<void>{};
}

// Ends with an error always: that is why the link is lost.
Task<void> ServerLink::serve() {
  CO_TRY(Introduction self, introduce(options_.identity));
  self.link = options_.link_number;
  CO_TRY(auto stream, co_await secure_stream());
  protocol_ = make_protocol(stream->alpn(), std::move(self));
  co_return co_await protocol_->run(std::move(stream));
}

std::unique_ptr<LinkProtocol> ServerLink::make_protocol(const std::string& alpn,
                                                        Introduction introduction) {
  LinkProtocol::Listener& self = *this;
  if (alpn == native::kAlpn)
    return std::make_unique<NativeLink>(context_, self, std::move(introduction));
  return std::make_unique<KonnectivityLink>(
      context_, self,
      KonnectivityLink::Options{std::move(introduction), route_.authority, options_.keepalive});
}

Task<std::unique_ptr<net::TlsStream>> ServerLink::secure_stream() {
  CO_TRY(auto transport, co_await connect(context_.clock, route_, kConnectLimit));
  co_return co_await async::with_timeout(
      context_.clock, kHandshakeLimit, "TLS handshake with " + route_.address,
      net::tls_handshake(std::move(transport), tls_(), options_.server_name));
}

Task<void> ServerLink::wait_for_end() {
  while (!ended_) CO_TRY_VOID(co_await changed_.wait());
  co_return fail(*ended_);
}

// Dials that the server sent before it heard of the retirement still come.
Task<void> ServerLink::wait_for_retirement() {
  constexpr async::Duration kStragglers = std::chrono::seconds(5);
  while (!retired_) CO_TRY_VOID(co_await changed_.wait());
  CO_TRY_VOID(co_await context_.clock.sleep_for(kStragglers));
  CO_TRY_VOID(co_await protocol_->until_idle());
  co_return fail(Code::cancelled, "another link has taken its place");
}

void ServerLink::close() { end({Code::cancelled, "closed by us"}); }

void ServerLink::stop() {
  close();
  if (protocol_) protocol_->stop();
}

void ServerLink::end(base::Error why) {
  if (!ended_) ended_ = std::move(why);
  changed_.notify_all();
}

void ServerLink::drain() {
  if (state_ == State::opening || state_ == State::lost) return;
  if (!std::exchange(draining_, true)) protocol_->drain();
}

void ServerLink::set_state(State state) {
  state_ = state;
  changed_.notify_all();
  on_change_(*this);
}

void ServerLink::on_welcome(Welcome welcome) {
  welcome_ = std::move(welcome);
  set_state(State::open);
}

void ServerLink::on_more_links(LinksWanted wanted) {
  links_wanted_ = wanted;
  on_change_(*this);
}

void ServerLink::on_going_away() {
  announced_ = true;
  if (state_ == State::open) set_state(State::going_away);
}

void ServerLink::retire() {
  drain();
  retired_ = true;
  set_state(State::going_away);
}

void ServerLink::on_silence() {
  if (state_ == State::open) set_state(State::silent);
}

void ServerLink::on_voice() {
  if (state_ != State::silent) return;
  LOG_INFO("server speaks again", {"server", welcome_.server_id}, {"address", route_.address});
  set_state(State::open);
}

}  // namespace tunnel
