#include "tunnel/server/konnectivity_backend.h"

#include <utility>

#include "base/id.h"
#include "base/log.h"

namespace tunnel {
KonnectivityBackend::KonnectivityBackend(http::H2Stream& stream, ServerContext& context,
                                         async::TaskGroup& tasks, AgentPeer peer)
    : Backend(std::move(peer), std::make_shared<LinkEntry>(context.loop_index)),
      ServerCall(stream),
      context_(context),
      tasks_(tasks),
      answers_(context.clock, *entry()),
      ticket_(std::make_shared<AdmissionTicket>(*this)),
      sender_(*this),
      congestion_(*this, context.clock, context.budget,
                  {.connection_limit = context.connection_limit, .crowded = [this] {
                     return pending_.size() + established_.size() > congestion_.slow();
                   }}) {
  context_.metrics.open_streams(ServiceMethod::connect).add();
}

KonnectivityBackend::~KonnectivityBackend() {
  ticket_->expire();
  context_.router.remove(*this, context_.clock.now());
  if (holding()) on_held(false);
  context_.metrics.open_streams(ServiceMethod::connect).subtract();
}

void KonnectivityBackend::register_backend(std::string id, Identifiers identifiers,
                                           const http::Headers& metadata) {
  introduce(std::move(id), std::move(identifiers), context_.metrics);
  accept(metadata);
  context_.router.probe_links_of(agent_id());
  registered_ = true;
  record().since = context_.clock.now();
  context_.router.add(*this);
  LOG_INFO("agent connected", {"agent", agent_id()}, {"from", peer()});
}

void KonnectivityBackend::refuse(const std::string& reason, grpc::StatusCode code) {
  LOG_WARN("agent refused", {"from", peer()}, {"reason", reason});
  finish({code, reason});
}

void KonnectivityBackend::probe() {
  answers_.owe();
  stream().session().ping();
}

Leg* KonnectivityBackend::dial(Leg::Frontend& frontend, const DialRequest& request) {
  std::int64_t random = base::random_dial_id();
  while (pending_.contains(random)) random = base::random_dial_id();
  auto leg = std::make_unique<KonnectivityLeg>(context_, *this, frontend, request, random);
  Leg* const made = leg.get();
  pending_.emplace(random, std::move(leg));
  if (answers_.owing()) stream().session().ping();  // slow targets, or a dead link?
  answers_.owe();
  send(PacketType::dial_request,
       request.packet.empty() ? encode_dial_request("tcp", request.target, random)
                              : with_random(request.packet, PacketType::dial_request, random));
  return made;
}

void KonnectivityBackend::cancel_dial(KonnectivityLeg& leg) {
  send(PacketType::close_dial, encode_close_dial(leg.random()));
  pending_.erase(leg.random());
}

void KonnectivityBackend::count_sent(PacketType type) {
  context_.metrics.packets.count(Segment::to_agent, type);
}

void KonnectivityBackend::send(PacketType type, std::string_view packet) {
  count_sent(type);
  sender_.send_control(packet);
}

void KonnectivityBackend::on_message(base::Bytes message) {
  const auto packet = decode_packet(message);
  if (!packet) {
    LOG_WARN("malformed packet from agent dropped", {"agent", agent_id()},
             {"bytes", message.size()});
    return;
  }
  if (!registered_) return;
  answers_.heard();
  context_.metrics.packets.count(Segment::from_agent, packet->type);
  handle(*packet, message);
  if (sender_.congested()) hold(true);
}

void KonnectivityBackend::handle(const Packet& packet, base::Bytes message) {
  switch (packet.type) {
    case PacketType::dial_response:
      return dial_response(packet);
    case PacketType::data:
      return data(packet, message);
    case PacketType::close_response:
      return close_response(packet);
    case PacketType::close_dial:
      return close_dial(packet);
    case PacketType::drain:
      return drain();
    default:
      LOG_DEBUG("unexpected packet from agent ignored", {"agent", agent_id()},
                {"type", wire_name(packet.type)});
  }
}

void KonnectivityBackend::dial_response(const Packet& packet) {
  const auto found = pending_.find(packet.random);
  if (found == pending_.end()) {
    context_.metrics.dial_failed(DialFailure::unrecognized_response);
    if (packet.connect_id != 0) close_unknown(packet.connect_id);
    return;
  }
  std::unique_ptr<KonnectivityLeg> leg = std::move(found->second);
  pending_.erase(found);
  if (!packet.error.empty() || packet.connect_id == 0) {
    const std::string error(
        packet.error.empty() ? "the agent answered the dial without a connection" : packet.error);
    leg->dial_failed(DialFailure::error_response, error);
    return;
  }
  if (established_.contains(packet.connect_id)) {
    LOG_WARN("agent gave two connections one id", {"agent", agent_id()}, {"id", packet.connect_id});
    leg->dial_failed(DialFailure::error_response, "the agent gave two connections one id");
    return;
  }
  KonnectivityLeg& kept = *leg;
  established_.emplace(packet.connect_id, std::move(leg));
  kept.dialed(packet.connect_id);
}

void KonnectivityBackend::data(const Packet& packet, base::Bytes message) {
  if (packet.connect_id == 0) {
    LOG_DEBUG("data without connection dropped", {"agent", agent_id()});
    return;
  }
  const auto found = established_.find(packet.connect_id);
  if (found == established_.end()) return close_unknown(packet.connect_id);
  found->second->deliver(packet.data, message);
  if (congestion_.active()) watch_congestion();
}

void KonnectivityBackend::close_unknown(std::int64_t connect_id) {
  send(PacketType::close_request, encode_close_request(connect_id));
}

void KonnectivityBackend::close_if_unknown(std::int64_t connect_id) {
  if (!established_.contains(connect_id)) close_unknown(connect_id);
}

void KonnectivityBackend::close_response(const Packet& packet) {
  const auto found = established_.find(packet.connect_id);
  if (found == established_.end()) {
    LOG_DEBUG("close of an unknown connection ignored", {"agent", agent_id()},
              {"id", packet.connect_id});
    return;
  }
  const std::unique_ptr<KonnectivityLeg> leg = std::move(found->second);
  established_.erase(found);
  leg->closed_by_agent(std::string(packet.error));
}

void KonnectivityBackend::close_dial(const Packet& packet) {
  const auto found = pending_.find(packet.random);
  if (found == pending_.end()) return;
  const std::unique_ptr<KonnectivityLeg> leg = std::move(found->second);
  pending_.erase(found);
  leg->dial_failed(DialFailure::backend_close, "");
}

void KonnectivityBackend::drain() {
  if (!entry()->draining.exchange(true))
    LOG_INFO("agent drains", {"agent", agent_id()}, {"from", peer()});
}

void KonnectivityBackend::on_held(bool on) {
  context_.metrics.full_channels(ServiceMethod::connect).add(on ? 1 : -1);
}

void KonnectivityBackend::on_drained() {
  sender_.pump();
  if (holding() && !congestion_.active() && !sender_.congested()) hold(false);
}

void KonnectivityBackend::watch_congestion() {
  if (std::exchange(ticking_, true)) return;
  tasks_.spawn("congestion", tick_congestion(ticket_));
}

async::Task<void> KonnectivityBackend::tick_congestion(std::shared_ptr<AdmissionTicket> ticket) {
  ServerContext& context = context_;
  while (ticket->backend() != nullptr && congestion_.active()) {
    CO_TRY_VOID(co_await context.clock.sleep_for(Congestion::kTick));
    if (ticket->backend() != nullptr) congestion_.tick();
  }
  if (ticket->backend() != nullptr) ticking_ = false;
  co_return base::Result<void>{};
}

void KonnectivityBackend::on_peer_done() { finish({}); }

void KonnectivityBackend::on_finished(const grpc::Status& status) {
  if (registered_) {
    LOG_INFO("agent disconnected", {"agent", agent_id()}, {"from", peer()},
             {"status", grpc::go_name(status.code)}, {"error", status.message});
    if (!status.ok()) record().last_error = {status.message, context_.clock.now()};
    if (!status.ok())
      context_.metrics.packets.error(Segment::from_agent, grpc::go_name(status.code), std::nullopt);
  }
  registered_ = false;
  context_.router.remove(*this, context_.clock.now());
  auto pending = std::exchange(pending_, {});
  for (auto& [random, leg] : pending)
    leg->dial_failed(DialFailure::backend_close, "agent connection lost while dialing");
  auto established = std::exchange(established_, {});
  for (auto& [id, leg] : established) leg->agent_lost();
}

}  // namespace tunnel
