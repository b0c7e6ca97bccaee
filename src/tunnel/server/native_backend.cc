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

Result<AgentCredentials> read_introduction(const http::Headers& headers, bool with_token) {
  const std::string* status = http::find(headers, ":status");
  if (status == nullptr || *status != "200")
    return fail(Code::invalid, fmt::format("the control stream was answered with status {}",
                                           status == nullptr ? "none" : *status));
  TRY(AgentCredentials who, read_credentials(headers, kNativeAgentHeaders, with_token));
  if (who.id.empty()) return fail(Code::invalid, "the agent-id header is empty");
  const std::string* link = http::find(headers, "link");
  who.further = link != nullptr && *link != "0";
  return who;
}

}  // namespace

NativeBackend::NativeBackend(ServerContext& context, const AgentAdmission& admission,
                             std::unique_ptr<net::Stream> stream, AgentPeer peer)
    : Backend(std::move(peer), std::make_shared<LinkEntry>(context.loop_index)),
      context_(context),
      admission_(admission),
      answers_(context.clock, *entry()),
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
  auto outcome =
      co_await (connection_.run() || admit() ||
                connection_.ping_every(context_.clock, native::kPingInterval, native::kPatience));
  auto result = std::visit([](auto& ended) { return std::move(ended); }, outcome);
  if (admitted_) {
    LOG_INFO("agent disconnected", {"agent", agent_id()}, {"from", peer()},
             {"error", result ? "" : result.error().message});
    if (!result) record().last_error = {result.error().message, context_.clock.now()};
  }
  leave();
  co_return result;
}

// Ends with an error always, which ends the link.
Task<void> NativeBackend::admit() {
  CO_TRY_VOID(co_await wait_for_introduction());
  auto who = co_await credentials();
  if (over_) co_return fail(Code::closed, *over_);
  if (!who) co_return co_await refuse(std::move(who).error());
  CO_TRY_VOID(co_await welcome());
  enter(*std::move(who));
  co_return co_await wait_for_end();
}

// Streams have no order among each other: a dial that came with the welcome could pass it, and be
// refused.
Task<void> NativeBackend::welcome() {
  control_->send({.type = ControlMessage::Type::welcome});
  while (!over_ && control_->stream().queued() > 0) CO_TRY_VOID(co_await changed_.wait());
  if (over_) co_return fail(Code::closed, *over_);
  co_return Result<void>{};
}

Task<void> NativeBackend::introduced() {
  while (!introduction_ && !over_) CO_TRY_VOID(co_await changed_.wait());
  co_return Result<void>{};
}

Task<void> NativeBackend::wait_for_end() {
  while (!over_) CO_TRY_VOID(co_await changed_.wait());
  co_return fail(Code::closed, *over_);
}

Task<void> NativeBackend::wait_for_introduction() {
  using namespace async::asio::experimental::awaitable_operators;
  auto outcome = co_await (introduced() || context_.clock.sleep_for(native::kWelcomeWithin));
  if (introduction_) co_return Result<void>{};
  if (over_) co_return fail(Code::closed, *over_);
  if (outcome.index() == 0) co_return std::get<0>(std::move(outcome));  // cancelled
  co_return fail(Code::timeout, "the agent did not say who it is within 15s");
}

Task<AgentCredentials> NativeBackend::credentials() {
  const http::Headers headers = *std::exchange(introduction_, std::nullopt);
  CO_TRY(AgentCredentials who, read_introduction(headers, admission_.authenticator != nullptr));
  if (admission_.authenticator != nullptr)
    CO_TRY_VOID(co_await admission_.authenticator->authenticate(std::move(who.token)));
  const AgentPeer self{peer(), clusters()};
  CO_TRY_VOID(check_identity(context_, admission_, self, who));
  co_return who;
}

void NativeBackend::enter(AgentCredentials credentials) {
  introduce(std::move(credentials.id), std::move(credentials.identifiers), context_.metrics);
  context_.router.probe_links_of(agent_id());
  admitted_ = true;
  entry()->further = credentials.further;
  record().since = context_.clock.now();
  context_.router.add(*this);
  LOG_INFO("agent connected", {"agent", agent_id()}, {"from", peer()}, {"link", "native"});
}

// The agent is to hang up; one that does not is cut off.
Task<void> NativeBackend::refuse(base::Error why) {
  using namespace async::asio::experimental::awaitable_operators;
  LOG_WARN("agent refused", {"from", peer()}, {"reason", why.message});
  control_->send({.type = ControlMessage::Type::refused, .reason = why.message});
  control_->end();
  (void)co_await (wait_for_end() || context_.clock.sleep_for(native::kWelcomeWithin));
  co_return fail(Code::closed, "agent refused: " + why.message);
}

// For good: what it carries may go on.
void NativeBackend::leave() {
  left_ = true;
  context_.router.remove(*this, context_.clock.now());
}

void NativeBackend::tell_draining() {
  if (control_ != nullptr) control_->send({.type = ControlMessage::Type::draining});
}

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
  ask_for_links();
  if (!answers_.owing()) context_.late_answers.add(*this);
  answers_.owe();
  return leg;
}

// An answer that is late is followed by a PING, which is answered at once whatever the target does:
// that tells a slow target from a dead link.
void NativeBackend::heard() {
  answers_.heard();
  context_.late_answers.remove(*this);
}

// One link is the work of one core: an agent that has many connections at once gets more. Few are
// as fast on one, and wait less for a core where cores are short.
void NativeBackend::ask_for_links() {
  constexpr std::size_t kBusy = 8;  // connections
  if (connections() <= kBusy || context_.loops < 2 || control_ == nullptr) return;
  if (std::exchange(asked_for_links_, true)) return;
  control_->send({.type = ControlMessage::Type::more_links,
                  .count = static_cast<std::int64_t>(context_.loops)});
}

void NativeBackend::ask_for_links_of_path() {
  const std::uint64_t carried = record().bytes_to_agent + record().bytes_from_agent;
  const std::size_t wanted =
      path_load_.links_wanted(context_.clock.now(), carried, connection_.session().path());
  if (wanted <= asked_for_path_ || connections() < 2 || control_ == nullptr) return;
  asked_for_path_ = wanted;
  control_->send({.type = ControlMessage::Type::more_links,
                  .count = static_cast<std::int64_t>(wanted),
                  .far = true});
}

void NativeBackend::on_ping_acknowledged() {
  heard();
  if (admitted_ && !left_) ask_for_links_of_path();
}

// It takes no more dials, whatever the reason; those that it has go on.
void NativeBackend::on_goaway(std::uint32_t) { leave(); }

// The line may heal: what the link carries waits for that, and new dials go elsewhere.
void NativeBackend::on_silence() {
  if (!admitted_ || left_) return;
  LOG_WARN("agent silent, its connections wait", {"agent", agent_id()}, {"from", peer()});
  record().last_error = {"the agent is silent", context_.clock.now()};
  context_.router.remove(*this, context_.clock.now());
}

void NativeBackend::on_voice() {
  if (!admitted_ || left_) return;
  LOG_INFO("agent speaks again", {"agent", agent_id()}, {"from", peer()});
  context_.router.add(*this);
}

void NativeBackend::on_introduction(const http::Headers& headers) {
  if (admitted_ || introduction_) return;
  introduction_ = headers;
  changed_.notify_all();
}

void NativeBackend::on_control(const ControlMessage& message) {
  if (message.type != ControlMessage::Type::draining || entry()->draining.exchange(true)) return;
  LOG_INFO("agent drains", {"agent", agent_id()}, {"from", peer()});
}

void NativeBackend::on_control_over(const std::string& reason) {
  over_ = reason;
  control_ = nullptr;
  changed_.notify_all();
}

}  // namespace tunnel
