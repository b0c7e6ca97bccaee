#pragma once

#include <string>

#include "grpc/message_reader.h"
#include "grpc/status.h"
#include "http/h2_session.h"

namespace grpc {

/// One bidirectional RPC on an HTTP/2 stream, at either end. Owned by the stream, ends with it.
///
/// Flow: the peer's messages come as on_message(); ours go by send(); on_finished() is the last
/// call. Window: each byte received is credited to the stream at once, unless hold(true) was said:
/// then the peer stops after at most one window of bytes, until hold(false).
class Call : public http::H2StreamHandler, private MessageReader::Sink {
 public:
  explicit Call(http::H2Stream& stream) : stream_(stream) {}

  void send(base::Bytes message);
  /// A message that already has its prefix; not copied.
  void send_framed(base::Buffer message);
  /// Bytes that wait for the peer's window or the socket.
  std::size_t queued() const { return stream_.queued(); }
  void hold(bool on);
  bool holding() const { return holding_; }
  /// The last message was of somebody who says little, though the call as a whole says much.
  virtual void note_interactive() { stream_.session().note_interactive(); }
  /// In on_finished(): the connection went, and the call with it.
  bool connection_lost() const { return connection_lost_; }
  /// Ends the call at once (RST_STREAM, CANCEL).
  void cancel();

 protected:
  void on_message(base::Bytes message) override = 0;
  /// The wire broke the rules of gRPC: nothing more is read. The call should end with `status`.
  virtual void on_broken(const Status& status) = 0;
  /// The peer will send no more messages.
  virtual void on_peer_done() {}
  /// The call is over; the object is destroyed after this.
  virtual void on_finished(const Status& status) = 0;

  void on_headers(const http::Headers& headers) override;
  void on_drained() override {}
  virtual void on_metadata(const http::Headers&) {}
  /// hold() has changed something.
  virtual void on_held(bool) {}

  http::H2Stream& stream() { return stream_; }

 private:
  void on_data(base::Pieces pieces) final;
  void on_end() final;
  void on_close(std::uint32_t error) final;

  http::H2Stream& stream_;
  MessageReader reader_;
  Status status_;
  bool has_status_ = false;
  bool has_headers_ = false;
  bool broken_ = false;
  bool connection_lost_ = false;
  bool holding_ = false;
  std::size_t unconsumed_ = 0;
};

/// The server's end.
class ServerCall : public Call {
 public:
  using Call::Call;
  /// Sends the response headers with `metadata`; once.
  void accept(const http::Headers& metadata);
  /// Sends what is queued, then the status; a call that was not accepted is answered by the status
  /// alone ("trailers only"). Nothing is sent after it.
  void finish(const Status& status);
  bool accepted() const { return accepted_; }
  bool finishing() const { return finishing_; }

 protected:
  void on_broken(const Status& status) override { finish(status); }

 private:
  bool accepted_ = false;
  bool finishing_ = false;
};

/// Headers with which a client opens the call `path`.
http::Headers request_headers(std::string_view path, std::string_view authority,
                              const http::Headers& metadata);

/// Whether request headers open a gRPC call: POST with a content type of gRPC.
bool is_grpc_request(const http::Headers& headers);

}  // namespace grpc
