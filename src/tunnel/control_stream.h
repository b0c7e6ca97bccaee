#pragma once

#include <string>

#include "http/h2_session.h"
#include "tunnel/control_message.h"

namespace tunnel {

/// Either end of the control stream of a native link (docs/protocol.md, 3). Owned by its HTTP/2
/// stream. Thread: that of the loop.
class ControlStream : public http::H2StreamHandler {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    /// The agent has answered: at the server only.
    virtual void on_introduction(const http::Headers&) {}
    virtual void on_control(const ControlMessage& message) = 0;
    /// What was sent has left.
    virtual void on_control_sent() {}
    /// The stream is over, and with it the link; the object is destroyed after this. Without a
    /// reason the link was lost first.
    virtual void on_control_over(const std::string& reason) = 0;
  };

  ControlStream(http::H2Stream& stream, Owner& owner) : stream_(stream), owner_(owner) {}

  void send(const ControlMessage& message);
  /// The link ends; what was sent before still goes.
  void end() { stream_.end(); }
  /// For headers of the answer, at the agent.
  http::H2Stream& stream() { return stream_; }

 private:
  void on_headers(const http::Headers& headers) override { owner_.on_introduction(headers); }
  void on_data(base::Pieces pieces) override;
  void read(base::Bytes bytes);
  void on_end() override;
  void on_drained() override { owner_.on_control_sent(); }
  void on_close(std::uint32_t error) override;

  http::H2Stream& stream_;
  Owner& owner_;
  ControlReader reader_;
  std::string why_;
};

}  // namespace tunnel
