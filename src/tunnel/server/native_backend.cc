#include "tunnel/server/native_backend.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "base/id.h"
#include "base/log.h"
#include "tunnel/native.h"
#include "tunnel/server/native_leg.h"

namespace tunnel {
namespace {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

http::Headers control_headers(const AgentAdmission& admission) {
  const auto interval =
      std::chrono::duration_cast<std::chrono::milliseconds>(native::kPingInterval).count();
  return {{":method", "POST"},
          {":scheme", "https"},
          {":path", std::string(native::kControlPath)},
          {":authority", admission.server_id},
          {"server-id", admission.server_id},
          {"server-count", std::to_string(admission.server_count)},
          {"ping-interval-ms", std::to_string(interval)}};
}

}  // namespace

NativeBackend::NativeBackend(ServerContext& context, const AgentAdmission& admission,
                             std::unique_ptr<net::Stream> stream, std::string peer)
    : Backend(std::move(peer)),
      context_(context),
      admission_(admission),
      answers_(context.clock),
      changed_(context.executor),
      connection_(
          context.executor, std::move(stream),
          native::session_options(http::H2Session::Role::client, context.windows, context.budget),
          static_cast<http::H2Connection::Handler&>(*this)) {}

NativeBackend::~NativeBackend() { leave(); }

Task<void> NativeBackend::run() {
  using namespace async::asio::experimental::awaitable_operators;
  CO_TRY_VOID(
      connection_.session().request(control_headers(admission_), [this](http::H2Stream& stream) {
        ControlStream::Owner& self = *this;
        auto control = std::make_unique<ControlStream>(stream, self);
        control_ = control.get();
        return control;
      }));
  auto outcome = co_await (
      connection_.run() || admit() ||
      connection_.ping_every(context_.clock, native::kPingInterval, native::kSilentIntervals));
  auto result = std::visit([](auto& ended) { return std::move(ended); }, outcome);
  if (admitted_) {
    LOG_INFO("agent disconnected", {"agent", agent_id()}, {"from", peer()},
             {"error", result ? "" : result.error().message});
  }
  leave();
  co_return result;
}

// Ends with an error always, which ends the link.
Task<void> NativeBackend::admit() {
  CO_TRY_VOID(co_await wait_for_introduction());
  auto who = co_await credentials();
  if (who) {
    enter(*std::move(who));
  } else if (!over_) {
    refuse(who.error().message);
  }
  while (!over_) CO_TRY_VOID(co_await changed_.wait());
  co_return fail(Code::closed, *over_);
}

Task<void> NativeBackend::wait_for_introduction() {
  using namespace async::asio::experimental::awaitable_operators;
  const auto introduced = [](NativeBackend& self) -> Task<void> {
    while (!self.introduction_ && !self.over_) CO_TRY_VOID(co_await self.changed_.wait());
    co_return Result<void>{};
  };
  auto outcome = co_await (introduced(*this) || context_.clock.sleep_for(native::kWelcomeWithin));
  if (outcome.index() == 1 && !introduction_)
    co_return fail(Code::timeout, "the agent did not say who it is within 15s");
  if (!introduction_) co_return fail(Code::closed, *over_);
  co_return Result<void>{};
}

Task<AgentCredentials> NativeBackend::credentials() {
  const http::Headers headers = *std::exchange(introduction_, std::nullopt);
  CO_TRY(AgentCredentials who,
         read_credentials(headers, kNativeAgentHeaders, admission_.authenticator != nullptr));
  if (admission_.authenticator != nullptr)
    CO_TRY_VOID(co_await admission_.authenticator->authenticate(std::move(who.token)));
  co_return who;
}

void NativeBackend::enter(AgentCredentials credentials) {
  if (over_) return;
  introduce(std::move(credentials.id), std::move(credentials.identifiers), context_.metrics);
  for (Backend* other : context_.router.backends()) {
    if (other->agent_id() == agent_id()) other->probe();
  }
  control_->send({.type = ControlMessage::Type::welcome});
  admitted_ = true;
  context_.router.add(*this);
  LOG_INFO("agent connected", {"agent", agent_id()}, {"from", peer()}, {"link", "native"});
}

void NativeBackend::refuse(const std::string& reason) {
  LOG_WARN("agent refused", {"from", peer()}, {"reason", reason});
  control_->send({.type = ControlMessage::Type::refused, .reason = reason});
  control_->end();
}

void NativeBackend::leave() { context_.router.remove(*this, context_.clock.now()); }

void NativeBackend::probe() {
  answers_.owe();
  connection_.session().ping();
}

Leg* NativeBackend::dial(Leg::Frontend& frontend, const DialRequest& request) {
  const std::int64_t random = base::random_dial_id();
  NativeLeg* leg = nullptr;
  const auto stream =
      connection_.session().request(dial_headers(request, random), [&](http::H2Stream& opened) {
        auto made = std::make_unique<NativeLeg>(opened, context_, *this, frontend, request, random);
        leg = made.get();
        return made;
      });
  if (!stream) {
    LOG_WARN("link takes no more dials", {"agent", agent_id()}, {"error", stream.error()});
    if (!stream.error().is(Code::exhausted)) leave();
    return nullptr;
  }
  if (answers_.owing()) connection_.session().ping();  // slow targets, or a dead link?
  answers_.owe();
  return leg;
}

// It takes no more dials, whatever the reason; those that it has go on.
void NativeBackend::on_goaway(std::uint32_t) { leave(); }

void NativeBackend::on_introduction(const http::Headers& headers) {
  if (admitted_ || introduction_) return;
  introduction_ = headers;
  changed_.notify_all();
}

void NativeBackend::on_control(const ControlMessage& message) {
  if (message.type != ControlMessage::Type::draining || std::exchange(draining_, true)) return;
  LOG_INFO("agent drains", {"agent", agent_id()}, {"from", peer()});
}

void NativeBackend::on_control_over(const std::string& reason) {
  over_ = reason;
  control_ = nullptr;
  changed_.notify_all();
}

}  // namespace tunnel
