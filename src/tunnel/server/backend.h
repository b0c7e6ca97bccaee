#pragma once

#include <memory>
#include <string>
#include <unordered_map>

#include "async/task_group.h"
#include "grpc/call.h"
#include "tunnel/congestion.h"
#include "tunnel/identifiers.h"
#include "tunnel/link_sender.h"
#include "tunnel/server/context.h"
#include "tunnel/server/leg.h"

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
class Backend : public grpc::ServerCall {
 public:
  Backend(http::H2Stream& stream, ServerContext& context, async::TaskGroup& tasks,
          std::string peer);
  ~Backend() override;

  /// Sends the response headers and offers the agent to the router.
  void register_backend(std::string agent_id, Identifiers identifiers,
                        const http::Headers& metadata);
  /// Ends the call with gRPC status Unknown.
  void refuse(const std::string& reason);

  /// Asks the agent to dial. `request` is the client's DIAL_REQ or our own.
  Leg& dial(Leg::Frontend& frontend, std::string target, std::int64_t client_random,
            base::Bytes request);
  /// Forgets a dial that is no longer wanted, and tells the agent.
  void cancel_dial(Leg& leg);

  /// Asks the agent to close a connection, unless it is one of ours.
  void close_if_unknown(std::int64_t connect_id);

  /// One packet to the agent.
  void send(PacketType type, std::string_view packet);
  void count_sent(PacketType type);

  const std::string& agent_id() const { return agent_id_; }
  const Identifiers& identifiers() const { return identifiers_; }
  bool draining() const { return draining_; }
  /// It owes an answer and has said nothing for seconds.
  bool silent(async::TimePoint now) const;
  /// Asks for a sign of life, since another stream of the same agent has appeared.
  void probe();
  void alive() { heard_ = true; }
  const std::string& peer() const { return peer_; }
  AgentTraffic& traffic() { return *traffic_; }
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
  void dial_response(const Packet& packet, base::Bytes message);
  void data(const Packet& packet, base::Bytes message);
  void close_response(const Packet& packet);
  void close_dial(const Packet& packet);
  void drain();
  void close_unknown(std::int64_t connect_id);
  void watch_congestion();
  async::Task<void> tick_congestion(std::shared_ptr<AdmissionTicket> ticket);
  void owe_answer();

  ServerContext& context_;
  async::TaskGroup& tasks_;
  std::string peer_;
  std::string agent_id_;
  Identifiers identifiers_;
  std::optional<AgentTraffic> traffic_;
  bool registered_ = false;
  bool draining_ = false;
  bool ticking_ = false;
  mutable bool heard_ = false;  // since the last look
  mutable std::optional<async::TimePoint> owing_since_;
  std::shared_ptr<AdmissionTicket> ticket_;
  LinkSender sender_;
  Congestion congestion_;
  std::unordered_map<std::int64_t, std::unique_ptr<Leg>> pending_;      // by our random
  std::unordered_map<std::int64_t, std::unique_ptr<Leg>> established_;  // by connectID
};

/// A reference to a Backend for tasks, which may outlive it.
class AdmissionTicket {
 public:
  explicit AdmissionTicket(Backend& backend) : backend_(&backend) {}
  /// Null when the stream has ended.
  Backend* backend() const { return backend_; }
  void expire() { backend_ = nullptr; }

 private:
  Backend* backend_;
};

}  // namespace tunnel
