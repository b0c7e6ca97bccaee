#include "tunnel/server/konnectivity_leg.h"

#include "tunnel/packet.h"
#include "tunnel/server/context.h"
#include "tunnel/server/konnectivity_backend.h"

namespace tunnel {

KonnectivityLeg::KonnectivityLeg(ServerContext& context, KonnectivityBackend& backend,
                                 Frontend& frontend, const DialRequest& request,
                                 std::int64_t random)
    : LinkLeg(context, backend, frontend, request, random),
      backend_(backend),
      flow_(backend.sender(), *this, context.budget) {}

KonnectivityLeg::~KonnectivityLeg() { backend_.congestion().remove(*this); }

void KonnectivityLeg::count_up(std::size_t bytes) {
  LinkLeg::count_up(bytes);
  backend_.count_sent(PacketType::data);
}

void KonnectivityLeg::send_packet(base::Bytes bytes, base::Bytes packet) {
  count_up(bytes.size());
  flow_.push_message(packet);
}

void KonnectivityLeg::consumed(std::size_t bytes) {
  outstanding_ -= bytes;
  taken_ += bytes;
  backend_.congestion().drained(*this);
}

void KonnectivityLeg::close() {
  if (flow_.finished()) return;
  backend_.count_sent(PacketType::close_request);
  flow_.finish(encode_close_request(connect_id()));
}

void KonnectivityLeg::dialed(std::int64_t connect_id) {
  flow_.set_connect_id(connect_id);
  established(connect_id);
}

void KonnectivityLeg::deliver(base::Bytes bytes, base::Bytes packet) {
  if (deserted() || bytes.empty()) return;
  outstanding_ += bytes.size();
  data(bytes, packet);
  if (!deserted()) backend_.congestion().delivered(*this, bytes.size());
}

void KonnectivityLeg::agent_lost() { closed(End::agent_lost, "agent connection lost", true); }

void KonnectivityLeg::on_overload(const std::string& reason) {
  if (!deserted()) frontend().on_overload(*this, reason);
}

void KonnectivityLeg::cancel_dial() { backend_.cancel_dial(*this); }

void KonnectivityLeg::drop() {
  backend_.congestion().remove(*this);
  close();
}

}  // namespace tunnel
