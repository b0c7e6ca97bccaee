#pragma once

#include <string>
#include <vector>

#include "grpc/call.h"
#include "tunnel/congestion.h"
#include "tunnel/packet.h"
#include "tunnel/server/client_rules.h"
#include "tunnel/server/context.h"
#include "tunnel/server/leg.h"

namespace tunnel {

/// One stream of a client: /ProxyService/Proxy. In practice it carries one connection; the state
/// machine is that of konnectivity, texts of errors included. Ownership: its HTTP/2 stream's.
/// Thread: that of the loop.
class ProxyStream : public grpc::ServerCall,
                    private Leg::Frontend,
                    private Sink,
                    private DelayLine::Entry {
 public:
  ProxyStream(http::H2Stream& stream, ServerContext& context, Client client);
  ~ProxyStream() override;

 private:
  void on_message(base::Bytes message) override;
  void on_broken(const grpc::Status& status) override;
  void on_peer_done() override;
  void on_finished(const grpc::Status& status) override;
  void on_sent(std::size_t bytes) override;
  void on_held(bool on) override;

  void dial_request(const Packet& packet, base::Bytes message);
  void data(const Packet& packet, base::Bytes message);
  void close_request(const Packet& packet);
  void close_dial(const Packet& packet);
  void mismatched(std::int64_t other);

  void on_dialed(Leg& leg) override;
  void on_dial_failed(Leg& leg, DialFailure reason, const std::string& error) override;
  void on_bytes(Leg& leg, base::Pieces pieces, base::Bytes packet) override;
  void on_target_done(Leg& leg) override;
  void on_closed(Leg& leg, const std::string& error, bool truncated) override;
  void on_overload(Leg& leg, const std::string& reason) override;
  void on_room(Leg& leg) override;
  std::string client_name() const override { return client_.name; }

  std::size_t backlog() const override { return queued() + early_.size(); }
  std::uint64_t taken() const override { return given_ - backlog(); }
  void on_overload(const std::string& reason) override;
  void on_delay_over() override { release_early(); }

  Leg* find_leg(std::int64_t connect_id) const;
  void drop(Leg& leg);
  void end(Leg& leg, const std::string& error);
  void abandon_legs();
  void release_early();
  void to_client(PacketType type, base::Buffer framed);
  void to_client(PacketType type, base::Bytes message);
  void to_client(PacketType type, const std::string& message) {
    to_client(type, base::as_bytes(message));
  }

  ServerContext& context_;
  Client client_;
  struct Attached {
    Leg* leg;
    std::size_t untaken;  // bytes of it that the client has not taken
  };
  std::vector<Attached> legs_;
  Leg* current_ = nullptr;   // of the last DIAL_REQ
  std::int64_t pinned_ = 0;  // the connectID of the client's first DATA
  bool dialed_ = false;      // a DIAL_REQ has been seen
  bool deaf_ = false;        // what the client says is discarded from now on
  base::BufferQueue
      early_;  // framed packets held back because the client may not know its connection yet
  bool holding_early_ = false;
  std::uint64_t given_ = 0;  // bytes of messages for the client, with their prefixes
};

}  // namespace tunnel
