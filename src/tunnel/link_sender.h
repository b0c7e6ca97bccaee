#pragma once

#include <algorithm>
#include <deque>
#include <string_view>

#include "base/buffer.h"
#include "grpc/call.h"
#include "tunnel/outlet.h"

namespace tunnel {

class Flow;

/// The sending side of a konnectivity stream between server and agent, which carries many
/// connections: control packets go at once, data of the connections in turn, one packet each. No
/// more is taken from the connections than the stream will soon send, so that a control packet
/// never waits behind much. Thread: that of the loop.
class LinkSender {
 public:
  /// `call` must outlive the sender.
  explicit LinkSender(grpc::Call& call) : call_(call) {}
  LinkSender(const LinkSender&) = delete;
  LinkSender& operator=(const LinkSender&) = delete;
  ~LinkSender();

  void send_control(std::string_view packet) { call_.send(base::as_bytes(packet)); }
  /// To be called when the call is drained.
  void pump();
  /// So much waits, control packets mostly, that no request should be read that makes more.
  bool congested() const { return call_.queued() > kControlLimit; }

 private:
  friend class Flow;
  static constexpr std::size_t kAhead =
      128 * 1024;  // bytes handed to the call before they can be sent
  static constexpr std::size_t kControlLimit = 1024 * 1024;

  void ready(Flow& flow);
  void forget(Flow& flow);

  grpc::Call& call_;
  std::deque<Flow*> turn_;  // flows with data, next first
  std::vector<Flow*> flows_;
};

/// The data of one connection on its way into a link. Bounded by its owner, which stops reading its
/// source while full() and goes on at on_flow_drained().
class Flow : public Outlet {
 public:
  static constexpr std::size_t kHigh = 256 * 1024;
  static constexpr std::size_t kLow = 64 * 1024;

  class Owner {
   public:
    virtual ~Owner() = default;
    /// The flow went from full to nearly empty, or became empty.
    virtual void on_flow_drained() = 0;
  };

  Flow(LinkSender& link, Owner& owner, base::MemoryBudget& budget);
  ~Flow() override;
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  /// Before the first push().
  void set_connect_id(std::int64_t id) { connect_id_ = id; }
  /// Becomes one DATA packet. Dropped after finish() and when the link is gone.
  void push(base::Buffer bytes) override;
  /// A message without prefix, copied.
  void push_message(base::Bytes message);
  /// `packet` goes after all that was pushed, and nothing after it.
  void finish(std::string_view packet);
  bool finished() const { return finished_; }

  std::size_t space() const override { return kHigh - std::min(kHigh, queue_.size()); }
  bool empty() const { return queue_.empty(); }
  bool lost() const { return link_ == nullptr; }

 private:
  friend class LinkSender;
  void enqueue(base::Buffer framed);
  void detach();

  LinkSender* link_;
  Owner& owner_;
  std::int64_t connect_id_ = 0;
  base::BufferQueue queue_;  // one block a message
  bool waiting_ = false;     // for its turn
  bool was_full_ = false;
  bool finished_ = false;
};

}  // namespace tunnel
