#pragma once

#include <cstdint>
#include <string>

#include "async/clock.h"
#include "base/bytes.h"
#include "tunnel/outlet.h"
#include "tunnel/server/delay_line.h"
#include "tunnel/server_metrics.h"

namespace tunnel {

class Backend;
struct DialRequest;
struct ServerContext;

/// One dial that a client asked for, and the connection that came of it, as the server sees it:
/// between a frontend (the client's side) and a backend (one link of an agent).
///
/// Flow: Backend::dial() makes it in state dialing; then either on_dialed() or on_dial_failed().
/// Once established, data flows both ways until either side closes. The frontend reports by
/// consumed() what its client has taken of on_bytes().
/// Ownership: its backend's. A frontend that goes calls abandon() first; a leg that is over
/// (on_dial_failed, on_closed) is not used again by its frontend. Thread: that of the loop.
class Leg : protected DelayLine::Entry {
 public:
  /// The client's side.
  class Frontend {
   public:
    virtual ~Frontend() = default;
    virtual void on_dialed(Leg& leg) = 0;
    virtual void on_dial_failed(Leg& leg, DialFailure reason, const std::string& error) = 0;
    /// Bytes of the target, not empty; a view.
    virtual void on_bytes(Leg& leg, base::Bytes bytes) = 0;
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

  Leg(ServerContext& context, Backend& backend, Frontend& frontend, const DialRequest& request,
      std::int64_t random);
  ~Leg() override;

  /// Where the client's bytes go. Whoever pushes also says count_up().
  virtual Outlet& outlet() = 0;
  virtual void count_up(std::size_t bytes);
  /// The client took so many bytes of on_bytes().
  virtual void consumed(std::size_t bytes) = 0;
  /// Whether directions end on their own: on_target_done() comes and finish() means something.
  virtual bool half_close() const = 0;
  /// The client has ended its direction.
  virtual void finish() {}
  /// Asks for the end, after all that was pushed: on_closed() comes.
  virtual void close() = 0;
  /// The frontend goes away, in whatever state the leg is.
  void abandon(DialFailure why_if_dialing);

  bool dialing() const { return connect_id_ == 0; }
  /// What clients of konnectivity call the connection.
  std::int64_t connect_id() const { return connect_id_; }
  std::int64_t client_random() const { return client_random_; }
  /// The number that the logs of both sides have.
  std::int64_t random() const { return random_; }
  Backend& backend() { return backend_; }
  const std::string& target() const { return target_; }

 protected:
  /// How the agent's side ended, in the metrics.
  enum class End { target, agent_lost };

  /// The backend's news, which go to the frontend.
  void established(std::int64_t connect_id);
  void fail(DialFailure reason, const std::string& error);
  void data(base::Bytes bytes);
  void finished_by_target();
  void closed(End how, const std::string& error, bool truncated);
  void closed_by_client();
  void room();
  bool deserted() const { return frontend_ == nullptr; }
  Frontend& frontend() { return *frontend_; }

  /// Nobody waits for the answer any more; the leg may destroy itself.
  virtual void cancel_dial() = 0;
  /// Nobody is there for the connection any more.
  virtual void drop() = 0;
  void on_delay_over() override;

  ServerContext& context_;

 private:
  void stop_waiting();
  void leave_established();
  void log_end(std::string_view how) const;

  Backend& backend_;
  Frontend* frontend_;
  std::string target_;
  std::int64_t client_random_;
  std::int64_t random_;
  std::int64_t connect_id_ = 0;
  async::TimePoint started_;
  std::uint64_t bytes_up_ = 0;    // payload to the agent
  std::uint64_t bytes_down_ = 0;  // payload from the agent
  bool counted_established_ = false;
  bool waiting_for_answer_ = false;
};

}  // namespace tunnel
