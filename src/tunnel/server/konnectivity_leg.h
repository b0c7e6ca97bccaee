#pragma once

#include <string>

#include "tunnel/congestion.h"
#include "tunnel/link_sender.h"
#include "tunnel/server/link_leg.h"

namespace tunnel {

class KonnectivityBackend;

/// A leg through an agent's gRPC stream, shared with all others of that agent: what the client has
/// not taken yet is watched by the stream's Congestion. Owned by its backend.
class KonnectivityLeg : public LinkLeg, public Sink, private Flow::Owner {
 public:
  KonnectivityLeg(ServerContext& context, KonnectivityBackend& backend, Frontend& frontend,
                  const DialRequest& request, std::int64_t random);
  ~KonnectivityLeg() override;

  Outlet& outlet() override { return flow_; }
  void count_up(std::size_t bytes) override;
  void send_packet(base::Bytes bytes, base::Bytes packet) override;
  void consumed(std::size_t bytes) override;
  bool half_close() const override { return false; }
  void close() override;

  /// The agent's packets.
  void dialed(std::int64_t connect_id);
  void dial_failed(DialFailure reason, const std::string& error) { fail(reason, error); }
  void deliver(base::Bytes bytes, base::Bytes packet);
  void closed_by_agent(const std::string& error) { closed(End::target, error, false); }
  void agent_lost();

  std::size_t backlog() const override { return outstanding_; }
  std::uint64_t taken() const override { return taken_; }

 private:
  void cancel_dial() override;
  void drop() override;
  void on_flow_drained() override { room(); }
  void on_overload(const std::string& reason) override;

  KonnectivityBackend& backend_;
  Flow flow_;
  std::size_t outstanding_ = 0;  // bytes that the client has not taken
  std::uint64_t taken_ = 0;
};

}  // namespace tunnel
