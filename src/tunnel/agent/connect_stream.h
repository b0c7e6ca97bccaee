#pragma once

#include <string>

#include "grpc/call.h"
#include "tunnel/agent/context.h"
#include "tunnel/congestion.h"
#include "tunnel/link_sender.h"
#include "tunnel/packet.h"

namespace tunnel {

class LinkConnections;

/// /AgentService/Connect as the agent sees it: the packets of one server, counted, checked and
/// handed to the connections of the link.
///
/// Malformed packets are dropped. Nothing is read while too many answers of ours wait to be sent,
/// or while Congestion holds the link.
/// Ownership: its HTTP/2 stream's; when it goes, so does the link. Thread: that of the loop.
class ConnectStream : public grpc::Call {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_response_headers(const http::Headers& headers) = 0;
    /// The call is over and about to be destroyed.
    virtual void on_call_ended(const grpc::Status& status) = 0;
    /// Congestion::tick() is needed from now on.
    virtual void on_congested() = 0;
  };

  /// All references must outlive the stream.
  ConnectStream(http::H2Stream& stream, AgentContext& context, Owner& owner,
                LinkConnections& connections);
  ~ConnectStream() override;

  /// A packet that does not belong behind the data of a connection.
  void send(PacketType type, std::string_view packet);
  void count_sent(PacketType type);

  LinkSender& sender() { return sender_; }
  Congestion& congestion() { return congestion_; }

 private:
  void on_metadata(const http::Headers& headers) override;
  void on_message(base::Bytes message) override;
  void on_broken(const grpc::Status& status) override;
  void on_peer_done() override;
  void on_drained() override;
  void on_finished(const grpc::Status& status) override;

  void handle(const Packet& packet);
  void handle_data(const Packet& packet);
  void handle_close(std::int64_t connect_id);

  AgentContext& context_;
  Owner& owner_;
  LinkConnections& connections_;
  grpc::Status broken_;
  LinkSender sender_;
  Congestion congestion_;
};

}  // namespace tunnel
