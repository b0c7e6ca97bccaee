#include "tunnel/agent/connect_stream.h"

#include "base/log.h"
#include "tunnel/agent/link_connections.h"

namespace tunnel {

ConnectStream::ConnectStream(http::H2Stream& stream, AgentContext& context, Owner& owner,
                             LinkConnections& connections)
    : Call(stream),
      context_(context),
      owner_(owner),
      connections_(connections),
      sender_(*this),
      congestion_(*this, context.clock, context.budget,
                  {.connection_limit = context.connection_limit,
                   .crowded = [this] { return connections_.size() > congestion_.slow(); },
                   .blind = true}) {
  connections_.attach(*this);
}

ConnectStream::~ConnectStream() { connections_.detach(); }

void ConnectStream::count_sent(PacketType type) {
  context_.metrics.packets.count(Segment::from_agent, type);
}

void ConnectStream::send(PacketType type, std::string_view packet) {
  count_sent(type);
  sender_.send_control(packet);
  if (sender_.congested()) hold(true);
}

void ConnectStream::on_metadata(const http::Headers& headers) {
  owner_.on_response_headers(headers);
}

void ConnectStream::on_message(base::Bytes message) {
  const auto packet = decode_packet(message);
  if (!packet) {
    LOG_WARN("malformed packet dropped", {"bytes", message.size()});
    return;
  }
  context_.metrics.packets.count(Segment::to_agent, packet->type);
  handle(*packet);
}

void ConnectStream::handle(const Packet& packet) {
  switch (packet.type) {
    case PacketType::dial_request:
      return connections_.dial(packet);
    case PacketType::data:
      return handle_data(packet);
    case PacketType::close_request:
      return handle_close(packet.connect_id);
    case PacketType::close_dial:
      return connections_.cancel_dial(packet.random);
    default:
      LOG_DEBUG("packet without meaning for an agent ignored", {"type", wire_name(packet.type)});
  }
}

void ConnectStream::handle_data(const Packet& packet) {
  if (packet.connect_id == 0) {
    LOG_WARN("data without a connection dropped", {"bytes", packet.data.size()});
  } else if (!connections_.deliver(packet.connect_id, packet.data)) {
    send(PacketType::close_response,
         encode_close_response(packet.connect_id, "unrecognized connectID"));
  }
  if (congestion_.active()) owner_.on_congested();
}

void ConnectStream::handle_close(std::int64_t connect_id) {
  if (!connections_.close(connect_id)) {
    send(PacketType::close_response, encode_close_response(connect_id, "Unknown connectID"));
  }
}

void ConnectStream::on_broken(const grpc::Status& status) {
  broken_ = status;
  cancel();
}

void ConnectStream::on_peer_done() { stream().end(); }

void ConnectStream::on_drained() {
  sender_.pump();
  if (holding() && !congestion_.active() && !sender_.congested()) hold(false);
}

void ConnectStream::on_finished(const grpc::Status& status) {
  const grpc::Status& reason = broken_.ok() ? status : broken_;
  if (!reason.ok())
    context_.metrics.packets.error(Segment::to_agent, grpc::go_name(reason.code), std::nullopt);
  owner_.on_call_ended(reason);
}

}  // namespace tunnel
