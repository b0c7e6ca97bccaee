#include "tunnel/server/proxy_stream.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "tunnel/server/backend.h"

namespace tunnel {

using grpc::StatusCode;

ProxyStream::ProxyStream(http::H2Stream& stream, ServerContext& context, Client client)
    : ServerCall(stream), context_(context), client_(std::move(client)), early_(&context.budget) {
  context_.metrics.open_streams(ServiceMethod::proxy).add();
}

ProxyStream::~ProxyStream() {
  context_.greeting_delay.remove(*this);
  if (holding()) on_held(false);
  context_.metrics.open_streams(ServiceMethod::proxy).subtract();
}

void ProxyStream::on_message(base::Bytes message) {
  if (deaf_) return;
  const auto packet = decode_packet(message);
  if (!packet)
    return finish(
        {StatusCode::internal, "grpc: error unmarshalling request: " + packet.error().message});
  context_.metrics.packets.count(Segment::from_client, packet->type);
  if (holding_early_) release_early();
  switch (packet->type) {
    case PacketType::dial_request:
      return dial_request(*packet, message);
    case PacketType::data:
      return data(*packet, message);
    case PacketType::close_request:
      return close_request(*packet);
    case PacketType::close_dial:
      return close_dial(*packet);
    default:
      LOG_DEBUG("unexpected packet from client ignored", {"client", client_.name},
                {"type", wire_name(packet->type)});
  }
}

void ProxyStream::dial_request(const Packet& packet, base::Bytes message) {
  dialed_ = true;
  const Dialed dialed = dial_any(context_, *this,
                                 {.network = std::string(packet.protocol),
                                  .target = std::string(packet.address),
                                  .client_random = packet.random,
                                  .packet = message},
                                 client_);
  if (dialed.leg == nullptr) {
    const bool forbidden = dialed.reason == DialFailure::forbidden;
    to_client(
        PacketType::dial_response,
        encode_dial_response(packet.random, 0, forbidden ? dialed.error : "No agent available"));
    deaf_ = true;
    return;
  }
  current_ = dialed.leg;
  legs_.push_back({current_, 0});
}

void ProxyStream::data(const Packet& packet, base::Bytes message) {
  if (packet.connect_id == 0) {
    LOG_DEBUG("data without connection dropped", {"client", client_.name});
    return;
  }
  if (!dialed_) {
    to_client(PacketType::close_response,
              encode_close_response(packet.connect_id, "backend not initialized"));
    deaf_ = true;
    return;
  }
  if (pinned_ == 0) pinned_ = packet.connect_id;
  if (pinned_ != packet.connect_id) return mismatched(packet.connect_id);
  // The number of somebody else's connection, or of one that has just ended, is worth nothing here.
  Leg* leg = find_leg(packet.connect_id);
  if (leg == nullptr) return;
  if (packet.data.empty()) return;
  leg->send_packet(packet.data, message);
  if (leg->outlet().full()) hold(true);
}

void ProxyStream::mismatched(std::int64_t other) {
  LOG_WARN("client mixes connections on one stream", {"client", client_.name}, {"first", pinned_},
           {"other", other});
  deaf_ = true;
  for (const std::int64_t id : {other, pinned_}) {
    if (find_leg(id) == nullptr && current_ != nullptr) current_->close_stray(id);
  }
  for (const std::int64_t id : {other, pinned_}) {
    if (Leg* leg = find_leg(id)) {
      drop(*leg);
      leg->abandon(DialFailure::frontend_close);
    }
    to_client(PacketType::close_response, encode_close_response(id, "mismatched connection IDs"));
  }
}

void ProxyStream::close_request(const Packet& packet) {
  if (!dialed_) {
    to_client(PacketType::close_response,
              encode_close_response(packet.connect_id, "backend uninitialized"));
    return;
  }
  if (Leg* leg = find_leg(packet.connect_id)) leg->close();
  deaf_ = true;
}

void ProxyStream::close_dial(const Packet& packet) {
  for (const Attached& attached : legs_) {
    Leg* leg = attached.leg;
    if (!leg->dialing() || leg->client_random() != packet.random) continue;
    drop(*leg);
    leg->abandon(DialFailure::frontend_close);
    return;
  }
  LOG_DEBUG("cancelled dial is not pending", {"client", client_.name}, {"random", packet.random});
}

void ProxyStream::on_dialed(Leg& leg) {
  to_client(PacketType::dial_response,
            encode_dial_response(leg.client_random(), leg.connect_id(), ""));
  holding_early_ = true;
  context_.greeting_delay.remove(*this);
  context_.greeting_delay.add(*this);
}

void ProxyStream::on_dial_failed(Leg& leg, DialFailure reason, const std::string& error) {
  drop(leg);
  if (reason == DialFailure::backend_close && error.empty()) {
    to_client(PacketType::close_dial, encode_close_dial(leg.client_random()));
  } else {
    to_client(PacketType::dial_response, encode_dial_response(leg.client_random(), 0, error));
  }
}

void ProxyStream::on_bytes(Leg& leg, base::Pieces pieces, base::Bytes packet) {
  const auto attached = std::ranges::find(legs_, &leg, &Attached::leg);
  attached->untaken += pieces.size();
  if (!packet.empty()) return to_client(PacketType::data, packet);
  for (const base::Bytes bytes : pieces) {
    base::Buffer block(bytes.size());
    block.append(bytes);
    frame_data(block, leg.connect_id());
    to_client(PacketType::data, std::move(block));
  }
}

// Clients of konnectivity know no half of an end.
void ProxyStream::on_target_done(Leg& leg) {
  leg.finish();
  end(leg, "");
  leg.abandon(DialFailure::frontend_close);
}

void ProxyStream::on_closed(Leg& leg, const std::string& error, bool truncated) {
  end(leg, truncated ? "" : error);
}

void ProxyStream::end(Leg& leg, const std::string& error) {
  drop(leg);
  to_client(PacketType::close_response, encode_close_response(leg.connect_id(), error));
  if (queued() > 0) context_.stall_watch.add(*this);
}

void ProxyStream::on_room(Leg&) {
  if (holding()) hold(false);
}

// What a client accepts of a connection that it does not know yet, Go's client takes for an error:
// it learns of the connection in another goroutine than the one that reads. A moment's delay, or
// its first word, is enough.
void ProxyStream::to_client(PacketType type, base::Buffer framed) {
  const async::TimePoint began = context_.clock.now();
  context_.metrics.packets.count(Segment::to_client, type);
  if (!accepted()) accept({});
  given_ += framed.size();
  if (holding_early_ && type != PacketType::dial_response) {
    early_.push(std::move(framed));
  } else {
    send_framed(std::move(framed));
  }
  context_.metrics.frontend_write_duration.observe(
      std::chrono::duration<double>(context_.clock.now() - began).count());
}

void ProxyStream::to_client(PacketType type, base::Bytes message) {
  base::Buffer framed(message.size());
  framed.append(message);
  std::array<std::uint8_t, grpc::kPrefixBytes> prefix;
  grpc::write_prefix(prefix.data(), message.size());
  framed.prepend(prefix);
  to_client(type, std::move(framed));
}

void ProxyStream::release_early() {
  holding_early_ = false;
  context_.greeting_delay.remove(*this);
  while (!early_.empty()) stream().send(early_.pop());
}

void ProxyStream::on_held(bool on) {
  context_.metrics.full_channels(ServiceMethod::proxy).add(on ? 1 : -1);
}

// What the client has taken is no more than what has left, whichever of its connections it was.
void ProxyStream::on_sent(std::size_t) {
  for (Attached& attached : legs_) {
    const std::size_t waiting = backlog();
    if (attached.untaken <= waiting) continue;
    attached.leg->consumed(attached.untaken - waiting);
    attached.untaken = waiting;
  }
}

void ProxyStream::on_overload(Leg&, const std::string& reason) { on_overload(reason); }

void ProxyStream::on_overload(const std::string& reason) {
  LOG_WARN("connection closed", {"client", client_.name}, {"reason", reason});
  context_.metrics.connection_closed("overflow");
  deaf_ = true;
  abandon_legs();
  early_.clear();
  cancel();
}

Leg* ProxyStream::find_leg(std::int64_t connect_id) const {
  const auto found = std::ranges::find_if(legs_, [&](const Attached& attached) {
    return !attached.leg->dialing() && attached.leg->connect_id() == connect_id;
  });
  return found == legs_.end() ? nullptr : found->leg;
}

void ProxyStream::drop(Leg& leg) {
  std::erase_if(legs_, [&](const Attached& attached) { return attached.leg == &leg; });
  if (current_ == &leg) current_ = nullptr;
}

void ProxyStream::abandon_legs() {
  for (const Attached& attached : std::exchange(legs_, {}))
    attached.leg->abandon(DialFailure::frontend_close);
}

void ProxyStream::on_peer_done() {
  deaf_ = true;
  abandon_legs();
  finish({});
}

void ProxyStream::on_broken(const grpc::Status& status) {
  deaf_ = true;
  abandon_legs();
  finish(status);
}

void ProxyStream::on_finished(const grpc::Status& status) {
  if (!status.ok())
    context_.metrics.packets.error(Segment::from_client, grpc::go_name(status.code), std::nullopt);
  context_.stall_watch.remove(*this);
  abandon_legs();
}

}  // namespace tunnel
