#pragma once

#include <string>

#include "http/h2_connection.h"
#include "tunnel/delay_line.h"
#include "tunnel/server/client_rules.h"
#include "tunnel/server/connect_replies.h"
#include "tunnel/server/context.h"
#include "tunnel/server/leg.h"

namespace tunnel {

/// One CONNECT stream of a client that speaks HTTP/2 (RFC 9113, 8.5): many of them share one
/// connection, each with its own window and its own ends. Owned by its stream. Thread: that of the
/// loop.
class StreamFrontend : public http::H2StreamHandler,
                       private Leg::Frontend,
                       private DelayLine::Entry {
 public:
  StreamFrontend(http::H2Stream& stream, ServerContext& context, Client client);
  ~StreamFrontend() override;

  void dial(std::string target);

 private:
  void on_headers(const http::Headers&) override {}  // trailers mean nothing here
  void on_data(base::Pieces pieces) override;
  void on_end() override;
  void on_sent(std::size_t bytes) override;
  void on_drained() override {}
  void on_close(std::uint32_t error) override;

  void on_dialed(Leg& leg) override;
  void on_dial_failed(Leg& leg, DialFailure reason, const std::string& error) override;
  void on_bytes(Leg& leg, base::Pieces pieces, base::Bytes packet) override;
  void on_target_done(Leg& leg) override;
  void on_closed(Leg& leg, const std::string& error, bool truncated) override;
  void on_overload(Leg& leg, const std::string& reason) override;
  void on_room(Leg& leg) override;
  std::string client_name() const override { return client_.name; }
  void on_delay_over() override;

  void forward(base::Buffer bytes);
  void client_done();
  void refuse(const DialReply& reply);
  void release_leg();

  http::H2Stream& stream_;
  ServerContext& context_;
  Client client_;
  Leg* leg_ = nullptr;
  base::BufferQueue early_;       // bytes that came before the answer
  std::size_t owed_ = 0;          // bytes whose window is held back until the leg has room
  std::uint64_t received_ = 0;    // bytes of the target
  std::uint64_t looked_at_ = 0;   // of them, when the client's silence was last looked at
  bool client_done_ = false;      // it sends no more
  bool reset_when_sent_ = false;  // the target's bytes are not whole
  bool lingering_ = false;
};

/// One connection of such a client. Lives in the coroutine that runs the connection.
class ConnectStreams : public http::H2Connection::Handler {
 public:
  ConnectStreams(ServerContext& context, Client client)
      : context_(context), client_(std::move(client)) {}
  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream& stream,
                                                    const http::Headers& headers) override;

 private:
  ServerContext& context_;
  Client client_;
};

}  // namespace tunnel
