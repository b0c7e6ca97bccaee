#include "tunnel/link_sender.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tunnel/packet.h"

namespace tunnel {

LinkSender::~LinkSender() {
  for (Flow* flow : std::exchange(flows_, {})) flow->detach();
}

void LinkSender::ready(Flow& flow) {
  if (!std::exchange(flow.waiting_, true)) turn_.push_back(&flow);
  pump();
}

void LinkSender::pump() {
  while (!turn_.empty() && call_.queued() < kAhead) {
    Flow& flow = *turn_.front();
    turn_.pop_front();
    call_.send_framed(flow.queue_.pop());
    flow.waiting_ = !flow.queue_.empty();
    if (flow.waiting_) turn_.push_back(&flow);
    const bool low = flow.queue_.size() < Flow::kLow;
    if (flow.queue_.empty() || (low && flow.was_full_)) {
      flow.was_full_ = false;
      flow.owner_.on_flow_drained();
    }
  }
}

void LinkSender::forget(Flow& flow) {
  std::erase(flows_, &flow);
  std::erase(turn_, &flow);
}

Flow::Flow(LinkSender& link, Owner& owner, base::MemoryBudget& budget)
    : link_(&link), owner_(owner), queue_(&budget) {
  link.flows_.push_back(this);
}

Flow::~Flow() {
  if (link_ != nullptr) link_->forget(*this);
}

void Flow::enqueue(base::Buffer framed) {
  if (link_ == nullptr || framed.empty()) return;
  queue_.push(std::move(framed));
  was_full_ = was_full_ || full();
  link_->ready(*this);
}

void Flow::push(base::Buffer bytes) {
  if (finished_) return;
  frame_data(bytes, connect_id_);
  enqueue(std::move(bytes));
}

void Flow::push_message(base::Bytes message) {
  std::array<std::uint8_t, grpc::kPrefixBytes> prefix;
  grpc::write_prefix(prefix.data(), message.size());
  base::Buffer framed(prefix.size() + message.size(), 0);
  framed.append(prefix);
  framed.append(message);
  if (!finished_) enqueue(std::move(framed));
}

void Flow::finish(std::string_view packet) {
  if (finished_) return;
  push_message(base::as_bytes(packet));
  finished_ = true;
}

void Flow::detach() {
  link_ = nullptr;
  queue_.clear();
  owner_.on_flow_drained();
}

}  // namespace tunnel
