#pragma once

#include <cstdint>
#include <string>

#include "async/clock.h"
#include "tunnel/link_sender.h"
#include "tunnel/packet.h"
#include "tunnel/server/delay_line.h"
#include "tunnel/server_metrics.h"

namespace tunnel {

class Backend;
struct ServerContext;

/// One dial that a client asked for, and the connection that came of it, as the server sees it:
/// between a frontend (the client's side) and a backend (one agent's stream).
///
/// Flow: Backend::dial() makes it in state dialing; then either on_dialed() or on_dial_failed().
/// Once established, data
///   flows both ways until either side closes.
/// Ownership: its backend's. A frontend that goes calls abandon() first; a leg that is over
/// (on_dial_failed, on_closed)
///   is not used again by its frontend.
class Leg : public Flow::Owner, private DelayLine::Entry {
 public:
  /// The client's side.
  class Frontend {
   public:
    virtual ~Frontend() = default;
    /// `response` is the agent's DIAL_RSP with the random of the client's request.
    virtual void on_dialed(Leg& leg, base::Bytes response) = 0;
    virtual void on_dial_failed(Leg& leg, DialFailure reason, const std::string& error) = 0;
    /// `message` is the whole packet as it came.
    virtual void on_packet(Leg& leg, const Packet& packet, base::Bytes message) = 0;
    /// The agent's side has ended. `truncated`: not by the target's own doing; bytes may be
    /// missing.
    virtual void on_closed(Leg& leg, const std::string& error, bool truncated) = 0;
    /// The flow towards the agent has room again.
    virtual void on_room(Leg& leg) = 0;
    /// Who asks, for the log.
    virtual std::string client_name() const = 0;
  };

  Leg(ServerContext& context, Backend& backend, Frontend& frontend, std::string target,
      std::int64_t client_random, std::int64_t random);
  ~Leg() override;

  /// DATA of the client, a whole packet whose connectID is connect_id().
  void send_message(const Packet& packet, base::Bytes message);
  /// Asks the agent to close, after all data that was sent.
  void close();
  /// The frontend goes away, in whatever state the leg is.
  void abandon(DialFailure why_if_dialing);

  /// For frontends that put one DATA packet of `bytes` into flow() themselves.
  void count_up(std::size_t bytes);

  bool dialing() const { return connect_id_ == 0; }
  std::int64_t connect_id() const { return connect_id_; }
  std::int64_t client_random() const { return client_random_; }
  std::int64_t random() const { return random_; }
  Flow& flow() { return flow_; }
  Backend& backend() { return backend_; }
  const std::string& target() const { return target_; }

 private:
  friend class Backend;
  void established(std::int64_t connect_id, base::Bytes response);
  void fail(DialFailure reason, const std::string& error);
  void data(const Packet& packet, base::Bytes message);
  void closed(const std::string& error, bool truncated);

  void on_flow_drained() override;
  void on_delay_over() override;
  void stop_waiting();
  void leave_established();
  void log_end(std::string_view how) const;

  ServerContext& context_;
  Backend& backend_;
  Frontend* frontend_;
  std::string target_;
  std::int64_t client_random_;
  std::int64_t random_;
  std::int64_t connect_id_ = 0;
  Flow flow_;
  async::TimePoint started_;
  std::uint64_t bytes_up_ = 0;    // payload to the agent
  std::uint64_t bytes_down_ = 0;  // payload from the agent
  bool counted_established_ = false;
  bool waiting_for_answer_ = false;
};

}  // namespace tunnel
