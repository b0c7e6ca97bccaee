#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "async/task_group.h"
#include "grpc/call.h"
#include "tunnel/congestion.h"
#include "tunnel/link_sender.h"
#include "tunnel/packet.h"
#include "tunnel/server/backend.h"
#include "tunnel/server/context.h"
#include "tunnel/server/konnectivity_leg.h"

namespace tunnel {

class AdmissionTicket;

/// One stream of one agent: /AgentService/Connect as the server sees it. Holds the legs that go
/// through it, keyed by this stream alone: the same numbers on another stream, of the same agent
/// too, mean nothing here.
///
/// Flow: made when the call opens; register_backend() once the agent is admitted; from then on
/// dials may choose it; the
///   end of the call removes it and ends every leg.
/// Ownership: its HTTP/2 stream's. Thread: that of the loop.
class KonnectivityBackend : public Backend, public grpc::ServerCall {
 public:
  KonnectivityBackend(http::H2Stream& stream, ServerContext& context, async::TaskGroup& tasks,
                      AgentPeer peer);
  ~KonnectivityBackend() override;

  /// Sends the response headers and offers the agent to the router.
  void register_backend(std::string id, Identifiers identifiers, const http::Headers& metadata);
  /// Ends the call. Other statuses than Unknown are not of konnectivity.
  void refuse(const std::string& reason, grpc::StatusCode code = grpc::StatusCode::unknown);

  Leg* dial(Leg::Frontend& frontend, const DialRequest& request) override;
  /// Forgets a dial that is no longer wanted, and tells the agent.
  void cancel_dial(KonnectivityLeg& leg);

  void close_if_unknown(std::int64_t connect_id) override;

  /// One packet to the agent.
  void send(PacketType type, std::string_view packet);
  void count_sent(PacketType type);

  bool silent(async::TimePoint now) const override { return answers_.silent(now); }
  std::string_view kind() const override { return "konnectivity"; }
  std::optional<async::Duration> round_trip() override {
    return measured(stream().session().round_trip());
  }
  void probe() override;
  void alive() { answers_.heard(); }
  LinkSender& sender() { return sender_; }
  Congestion& congestion() { return congestion_; }
  std::shared_ptr<AdmissionTicket> ticket() { return ticket_; }

 private:
  void on_message(base::Bytes message) override;
  void on_peer_done() override;
  void on_finished(const grpc::Status& status) override;
  void on_drained() override;
  void on_held(bool on) override;

  void handle(const Packet& packet, base::Bytes message);
  void dial_response(const Packet& packet);
  void data(const Packet& packet, base::Bytes message);
  void close_response(const Packet& packet);
  void close_dial(const Packet& packet);
  void drain();
  void close_unknown(std::int64_t connect_id);
  void watch_congestion();
  async::Task<void> tick_congestion(std::shared_ptr<AdmissionTicket> ticket);

  ServerContext& context_;
  async::TaskGroup& tasks_;
  bool registered_ = false;
  bool ticking_ = false;
  AnswerWatch answers_;
  std::shared_ptr<AdmissionTicket> ticket_;
  LinkSender sender_;
  Congestion congestion_;
  std::unordered_map<std::int64_t, std::unique_ptr<KonnectivityLeg>> pending_;      // by our random
  std::unordered_map<std::int64_t, std::unique_ptr<KonnectivityLeg>> established_;  // by connectID
};

/// A reference to a backend for tasks, which may outlive it.
class AdmissionTicket {
 public:
  explicit AdmissionTicket(KonnectivityBackend& backend) : backend_(&backend) {}
  /// Null when the stream has ended.
  KonnectivityBackend* backend() const { return backend_; }
  void expire() { backend_ = nullptr; }

 private:
  KonnectivityBackend* backend_;
};

}  // namespace tunnel
