#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "tunnel/outlet.h"
#include "tunnel/server_metrics.h"

namespace tunnel {

/// One dial that a client asked for, and the connection that came of it, as the server sees it:
/// between a frontend (the client's side) and a backend (one link of an agent).
///
/// Flow: Backend::dial() makes it in state dialing; then either on_dialed() or on_dial_failed().
/// Once established, data flows both ways until either side closes. The frontend reports by
/// consumed() what its client has taken of on_bytes().
/// Ownership: its backend's. A frontend that goes calls abandon() first; a leg that is over
/// (on_dial_failed, on_closed) is not used again by its frontend. Thread: that of the loop.
class Leg {
 public:
  /// The client's side.
  class Frontend {
   public:
    virtual ~Frontend() = default;
    virtual void on_dialed(Leg& leg) = 0;
    virtual void on_dial_failed(Leg& leg, DialFailure reason, const std::string& error) = 0;
    /// Bytes of the target, not empty; views. `packet` is the whole konnectivity packet that they
    /// came in, then a single piece; empty where the link speaks otherwise.
    virtual void on_bytes(Leg& leg, base::Pieces pieces, base::Bytes packet) = 0;
    /// The target has ended its direction; the client may go on. Only where half_close().
    virtual void on_target_done(Leg& leg) = 0;
    /// The agent's side has ended. `truncated`: not by the target's own doing; bytes may be
    /// missing.
    virtual void on_closed(Leg& leg, const std::string& error, bool truncated) = 0;
    /// The client takes its bytes too slowly for the others of its link: it must go now. The leg
    /// is still to be abandoned.
    virtual void on_overload(Leg& leg, const std::string& reason) = 0;
    /// The outlet has room again.
    virtual void on_room(Leg& leg) = 0;
    /// Who asks, for the log.
    virtual std::string client_name() const = 0;
  };

  virtual ~Leg() = default;

  /// Where the client's bytes go. Whoever pushes also says count_up().
  virtual Outlet& outlet() = 0;
  virtual void count_up(std::size_t bytes) = 0;
  /// The same for a client's DATA packet, which goes on as it came where the link speaks
  /// konnectivity.
  virtual void send_packet(base::Bytes bytes, base::Bytes packet) = 0;
  /// The client took so many bytes of on_bytes().
  virtual void consumed(std::size_t bytes) = 0;
  /// Whether directions end on their own: on_target_done() comes and finish() means something.
  virtual bool half_close() const = 0;
  /// The client has ended its direction.
  virtual void finish() = 0;
  /// Asks for the end, after all that was pushed: on_closed() comes.
  virtual void close() = 0;
  /// The frontend goes away, in whatever state the leg is.
  virtual void abandon(DialFailure why_if_dialing) = 0;

  /// Asks the agent to close a connection of this number, unless it is somebody's.
  virtual void close_stray(std::int64_t connect_id) = 0;

  bool dialing() const { return connect_id_ == 0; }
  /// What clients of konnectivity call the connection.
  std::int64_t connect_id() const { return connect_id_; }
  std::int64_t client_random() const { return client_random_; }

 protected:
  explicit Leg(std::int64_t client_random) : client_random_(client_random) {}
  void set_connect_id(std::int64_t id) { connect_id_ = id; }

 private:
  std::int64_t client_random_;
  std::int64_t connect_id_ = 0;
};

}  // namespace tunnel
