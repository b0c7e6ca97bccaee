#include "tunnel/server/crossing.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "tunnel/packet.h"
#include "tunnel/server/remote_backend.h"

namespace tunnel {
namespace {

base::Buffer copy_of(base::Bytes bytes) {
  base::Buffer block(bytes.size());
  block.append(bytes);
  return block;
}

// Messages are copyable, buffers are not.
std::shared_ptr<base::Buffer> shared(base::Buffer buffer) {
  return std::make_shared<base::Buffer>(std::move(buffer));
}

}  // namespace

void Crossing::post_near(std::shared_ptr<Crossing> self, std::function<void(RemoteLeg&)> message) {
  async::asio::post(near_loop, [self = std::move(self), message = std::move(message)] {
    if (self->near != nullptr) message(*self->near);
  });
}

void Crossing::post_far(std::shared_ptr<Crossing> self, std::function<void(FarEnd&)> message) {
  async::asio::post(far_loop, [self = std::move(self), message = std::move(message)] {
    if (self->far != nullptr) message(*self->far);
  });
}

RemoteLeg::RemoteLeg(RemoteBackend& backend, Frontend& frontend, const DialRequest& request,
                     std::shared_ptr<Crossing> crossing)
    : Leg(request.client_random),
      backend_(backend),
      frontend_(&frontend),
      crossing_(std::move(crossing)) {
  crossing_->near = this;
}

RemoteLeg::~RemoteLeg() { crossing_->near = nullptr; }

void RemoteLeg::tell(std::function<void(FarEnd&)> message) {
  crossing_->post_far(crossing_, std::move(message));
}

void RemoteLeg::push(base::Buffer bytes) {
  under_way_ += bytes.size();
  tell([block = shared(std::move(bytes))](FarEnd& far) { far.send(std::move(*block)); });
}

void RemoteLeg::send_packet(base::Bytes bytes, base::Bytes packet) {
  under_way_ += bytes.size();
  tell([block = shared(copy_of(packet))](FarEnd& far) { far.send_packet(*block); });
}

void RemoteLeg::consumed(std::size_t bytes) {
  tell([bytes](FarEnd& far) { far.consumed(bytes); });
}

void RemoteLeg::finish() {
  tell([](FarEnd& far) { far.finish(); });
}

void RemoteLeg::close() {
  tell([](FarEnd& far) { far.close(); });
}

void RemoteLeg::close_stray(std::int64_t connect_id) {
  tell([connect_id](FarEnd& far) { far.close_stray(connect_id); });
}

// Counted here, so that whoever sees the client's end sees the count as well.
void RemoteLeg::abandon(DialFailure why_if_dialing) {
  if (dialing()) {
    backend_.count(why_if_dialing);
    why_if_dialing = DialFailure::counted_elsewhere;
  }
  tell([why_if_dialing](FarEnd& far) { far.abandon(why_if_dialing); });
  backend_.forget(*this);
}

void RemoteLeg::dialed(std::int64_t connect_id, bool half_close) {
  set_connect_id(connect_id);
  half_close_ = half_close;
  frontend_->on_dialed(*this);
}

void RemoteLeg::dial_failed(DialFailure reason, const std::string& error) {
  frontend_->on_dial_failed(*this, reason, error);
  backend_.forget(*this);
}

void RemoteLeg::deliver(base::Bytes bytes, bool is_packet) {
  if (!is_packet) return frontend_->on_bytes(*this, bytes, {});
  if (const auto packet = decode_packet(bytes)) frontend_->on_bytes(*this, packet->data, bytes);
}

void RemoteLeg::target_done() { frontend_->on_target_done(*this); }

void RemoteLeg::closed(const std::string& error, bool truncated) {
  frontend_->on_closed(*this, error, truncated);
  backend_.forget(*this);
}

void RemoteLeg::overloaded(const std::string& reason) { frontend_->on_overload(*this, reason); }

void RemoteLeg::taken(std::size_t bytes) {
  const bool was_full = full();
  under_way_ -= bytes;
  if (was_full && !full()) frontend_->on_room(*this);
}

void FarEnd::dial(Backend* backend, const DialRequest& request, std::string client,
                  std::shared_ptr<Crossing> crossing) {
  auto* const end = new FarEnd(std::move(client), std::move(crossing));
  Leg::Frontend& self = *end;
  end->leg_ = backend == nullptr ? nullptr : backend->dial(self, request);
  if (end->leg_ != nullptr) return;
  end->tell([](RemoteLeg& near) {
    near.dial_failed(DialFailure::backend_close, "agent connection lost while dialing");
  });
  delete end;
}

FarEnd::FarEnd(std::string client, std::shared_ptr<Crossing> crossing)
    : client_(std::move(client)), crossing_(std::move(crossing)) {
  crossing_->far = this;
}

FarEnd::~FarEnd() { crossing_->far = nullptr; }

void FarEnd::tell(std::function<void(RemoteLeg&)> message) {
  crossing_->post_near(crossing_, std::move(message));
}

void FarEnd::send(base::Buffer bytes) {
  owed_ += bytes.size();
  leg_->count_up(bytes.size());
  leg_->outlet().push(std::move(bytes));
  report_taken();
}

void FarEnd::send_packet(const base::Buffer& packet) {
  const auto decoded = decode_packet(packet.bytes());
  if (!decoded) return;
  owed_ += decoded->data.size();
  leg_->send_packet(decoded->data, packet.bytes());
  report_taken();
}

void FarEnd::report_taken() {
  if (owed_ == 0 || leg_->outlet().full()) return;
  tell([count = std::exchange(owed_, 0)](RemoteLeg& near) { near.taken(count); });
}

void FarEnd::consumed(std::size_t bytes) { leg_->consumed(bytes); }

void FarEnd::finish() { leg_->finish(); }

void FarEnd::close() { leg_->close(); }

void FarEnd::close_stray(std::int64_t connect_id) { leg_->close_stray(connect_id); }

void FarEnd::abandon(DialFailure why_if_dialing) {
  leg_->abandon(why_if_dialing);
  delete this;
}

void FarEnd::on_dialed(Leg& leg) {
  tell([id = leg.connect_id(), half_close = leg.half_close()](RemoteLeg& near) {
    near.dialed(id, half_close);
  });
}

void FarEnd::on_dial_failed(Leg&, DialFailure reason, const std::string& error) {
  tell([reason, error](RemoteLeg& near) { near.dial_failed(reason, error); });
  delete this;
}

void FarEnd::on_bytes(Leg&, base::Pieces pieces, base::Bytes packet) {
  const bool is_packet = !packet.empty();
  for (const base::Bytes bytes : is_packet ? base::Pieces(packet) : pieces) {
    tell([block = shared(copy_of(bytes)), is_packet](RemoteLeg& near) {
      near.deliver(block->bytes(), is_packet);
    });
  }
}

void FarEnd::on_target_done(Leg&) {
  tell([](RemoteLeg& near) { near.target_done(); });
}

void FarEnd::on_closed(Leg&, const std::string& error, bool truncated) {
  tell([error, truncated](RemoteLeg& near) { near.closed(error, truncated); });
  delete this;
}

void FarEnd::on_overload(Leg&, const std::string& reason) {
  tell([reason](RemoteLeg& near) { near.overloaded(reason); });
}

void FarEnd::on_room(Leg&) { report_taken(); }

}  // namespace tunnel
