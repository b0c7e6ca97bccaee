#include "tunnel/server/backend.h"

#include <utility>

#include "base/id.h"
#include "base/log.h"

namespace tunnel {
namespace {

// An agent that owes an answer for so long is chosen last.
constexpr async::Duration kAnswerWithin = std::chrono::seconds(2);

}  // namespace

Backend::Backend(http::H2Stream& stream, ServerContext& context, async::TaskGroup& tasks,
                 std::string peer)
    : ServerCall(stream),
      context_(context),
      tasks_(tasks),
      peer_(std::move(peer)),
      ticket_(std::make_shared<AdmissionTicket>(*this)),
      sender_(*this),
      congestion_(*this, context.clock, context.budget,
                  {.connection_limit = context.connection_limit, .crowded = [this] {
                     return pending_.size() + established_.size() > congestion_.slow();
                   }}) {
  context_.metrics.open_streams(ServiceMethod::connect).add();
}

Backend::~Backend() {
  ticket_->expire();
  context_.router.remove(*this, context_.clock.now());
  if (holding()) on_held(false);
  context_.metrics.open_streams(ServiceMethod::connect).subtract();
}

void Backend::register_backend(std::string agent_id, Identifiers identifiers,
                               const http::Headers& metadata) {
  agent_id_ = std::move(agent_id);
  identifiers_ = std::move(identifiers);
  traffic_.emplace(context_.metrics.traffic_of(agent_id_));
  accept(metadata);
  for (Backend* other : context_.router.backends()) {
    if (other->agent_id() == agent_id_) other->probe();
  }
  registered_ = true;
  context_.router.add(*this);
  LOG_INFO("agent connected", {"agent", agent_id_}, {"from", peer_});
}

void Backend::refuse(const std::string& reason) {
  LOG_WARN("agent refused", {"from", peer_}, {"reason", reason});
  finish({grpc::StatusCode::unknown, reason});
}

void Backend::owe_answer() {
  if (!owing_since_ || heard_) owing_since_ = context_.clock.now();
  heard_ = false;
}

bool Backend::silent(async::TimePoint now) const {
  if (std::exchange(heard_, false)) owing_since_.reset();
  return owing_since_ && now - *owing_since_ > kAnswerWithin;
}

void Backend::probe() {
  owe_answer();
  stream().session().ping();
}

Leg& Backend::dial(Leg::Frontend& frontend, std::string target, std::int64_t client_random,
                   base::Bytes request) {
  std::int64_t random = base::random_dial_id();
  while (pending_.contains(random)) random = base::random_dial_id();
  auto leg =
      std::make_unique<Leg>(context_, *this, frontend, std::move(target), client_random, random);
  Leg& made = *leg;
  pending_.emplace(random, std::move(leg));
  traffic_->dials.add();
  if (owing_since_ && !heard_) stream().session().ping();  // slow targets, or a dead link?
  owe_answer();
  send(PacketType::dial_request, with_random(request, PacketType::dial_request, random));
  return made;
}

void Backend::cancel_dial(Leg& leg) {
  send(PacketType::close_dial, encode_close_dial(leg.random()));
  pending_.erase(leg.random());
}

void Backend::count_sent(PacketType type) {
  context_.metrics.packets.count(Segment::to_agent, type);
}

void Backend::send(PacketType type, std::string_view packet) {
  count_sent(type);
  sender_.send_control(packet);
}

void Backend::on_message(base::Bytes message) {
  const auto packet = decode_packet(message);
  if (!packet) {
    LOG_WARN("malformed packet from agent dropped", {"agent", agent_id_},
             {"bytes", message.size()});
    return;
  }
  if (!registered_) return;
  heard_ = true;
  context_.metrics.packets.count(Segment::from_agent, packet->type);
  handle(*packet, message);
  if (sender_.congested()) hold(true);
}

void Backend::handle(const Packet& packet, base::Bytes message) {
  switch (packet.type) {
    case PacketType::dial_response:
      return dial_response(packet, message);
    case PacketType::data:
      return data(packet, message);
    case PacketType::close_response:
      return close_response(packet);
    case PacketType::close_dial:
      return close_dial(packet);
    case PacketType::drain:
      return drain();
    default:
      LOG_DEBUG("unexpected packet from agent ignored", {"agent", agent_id_},
                {"type", wire_name(packet.type)});
  }
}

void Backend::dial_response(const Packet& packet, base::Bytes message) {
  const auto found = pending_.find(packet.random);
  if (found == pending_.end()) {
    context_.metrics.dial_failed(DialFailure::unrecognized_response);
    if (packet.connect_id != 0) close_unknown(packet.connect_id);
    return;
  }
  std::unique_ptr<Leg> leg = std::move(found->second);
  pending_.erase(found);
  if (!packet.error.empty() || packet.connect_id == 0) {
    const std::string error(
        packet.error.empty() ? "the agent answered the dial without a connection" : packet.error);
    context_.metrics.agent_dial_failed(agent_id_, "error_response");
    leg->fail(DialFailure::error_response, error);
    return;
  }
  if (established_.contains(packet.connect_id)) {
    LOG_WARN("agent gave two connections one id", {"agent", agent_id_}, {"id", packet.connect_id});
    leg->fail(DialFailure::error_response, "the agent gave two connections one id");
    return;
  }
  Leg& kept = *leg;
  established_.emplace(packet.connect_id, std::move(leg));
  kept.established(packet.connect_id, message);
}

void Backend::data(const Packet& packet, base::Bytes message) {
  if (packet.connect_id == 0) {
    LOG_DEBUG("data without connection dropped", {"agent", agent_id_});
    return;
  }
  const auto found = established_.find(packet.connect_id);
  if (found == established_.end()) return close_unknown(packet.connect_id);
  found->second->data(packet, message);
  if (congestion_.active()) watch_congestion();
}

void Backend::close_unknown(std::int64_t connect_id) {
  send(PacketType::close_request, encode_close_request(connect_id));
}

void Backend::close_if_unknown(std::int64_t connect_id) {
  if (!established_.contains(connect_id)) close_unknown(connect_id);
}

void Backend::close_response(const Packet& packet) {
  const auto found = established_.find(packet.connect_id);
  if (found == established_.end()) {
    LOG_DEBUG("close of an unknown connection ignored", {"agent", agent_id_},
              {"id", packet.connect_id});
    return;
  }
  const std::unique_ptr<Leg> leg = std::move(found->second);
  established_.erase(found);
  leg->closed(std::string(packet.error), false);
}

void Backend::close_dial(const Packet& packet) {
  const auto found = pending_.find(packet.random);
  if (found == pending_.end()) return;
  const std::unique_ptr<Leg> leg = std::move(found->second);
  pending_.erase(found);
  leg->fail(DialFailure::backend_close, "");
}

void Backend::drain() {
  if (!std::exchange(draining_, true))
    LOG_INFO("agent drains", {"agent", agent_id_}, {"from", peer_});
}

void Backend::on_held(bool on) {
  context_.metrics.full_channels(ServiceMethod::connect).add(on ? 1 : -1);
}

void Backend::on_drained() {
  sender_.pump();
  if (holding() && !congestion_.active() && !sender_.congested()) hold(false);
}

void Backend::watch_congestion() {
  if (std::exchange(ticking_, true)) return;
  tasks_.spawn("congestion", tick_congestion(ticket_));
}

async::Task<void> Backend::tick_congestion(std::shared_ptr<AdmissionTicket> ticket) {
  ServerContext& context = context_;
  while (ticket->backend() != nullptr && congestion_.active()) {
    CO_TRY_VOID(co_await context.clock.sleep_for(Congestion::kTick));
    if (ticket->backend() != nullptr) congestion_.tick();
  }
  if (ticket->backend() != nullptr) ticking_ = false;
  co_return base::Result<void>{};
}

void Backend::on_peer_done() { finish({}); }

void Backend::on_finished(const grpc::Status& status) {
  if (registered_) {
    LOG_INFO("agent disconnected", {"agent", agent_id_}, {"from", peer_},
             {"status", grpc::go_name(status.code)}, {"error", status.message});
    if (!status.ok())
      context_.metrics.packets.error(Segment::from_agent, grpc::go_name(status.code), std::nullopt);
  }
  registered_ = false;
  context_.router.remove(*this, context_.clock.now());
  auto pending = std::exchange(pending_, {});
  for (auto& [random, leg] : pending)
    leg->fail(DialFailure::backend_close, "agent connection lost while dialing");
  auto established = std::exchange(established_, {});
  for (auto& [id, leg] : established) leg->closed("agent connection lost", true);
}

}  // namespace tunnel
