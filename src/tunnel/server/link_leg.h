#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/intrusive/list.hpp>

#include "async/clock.h"
#include "tunnel/delay_line.h"
#include "tunnel/server/leg.h"
#include "tunnel/server/status.h"

namespace tunnel {

class Backend;
struct DialRequest;
struct ServerContext;

/// A leg on a link of this loop: what all of them have in common, that is deadlines, counting and
/// the access log. Ownership: its backend's. Thread: that of the loop.
class LinkLeg : public Leg, protected DelayLine::Entry {
 public:
  LinkLeg(ServerContext& context, Backend& backend, Frontend& frontend, const DialRequest& request,
          std::int64_t random);
  ~LinkLeg() override;

  void count_up(std::size_t bytes) override;
  void send_packet(base::Bytes bytes, base::Bytes packet) override;
  void finish() override {}
  void abandon(DialFailure why_if_dialing) override;
  void close_stray(std::int64_t connect_id) override;

  /// The number that the logs of both sides have.
  std::int64_t random() const { return random_; }
  const std::string& target() const { return target_; }
  /// For people. Nothing once the client has gone.
  std::optional<ConnectionStatus> status() const;

  using Hook = boost::intrusive::list_member_hook<
      boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  Hook among_legs;  // of its link

 protected:
  /// How the agent's side ended, in the metrics.
  enum class End { target, agent_lost };

  /// The backend's news, which go to the frontend.
  void established(std::int64_t connect_id);
  void fail(DialFailure reason, const std::string& error);
  void data(base::Pieces pieces, base::Bytes packet = {});
  void finished_by_target();
  void closed(End how, const std::string& error, bool truncated);
  void closed_by_client();
  void room();
  bool deserted() const { return frontend_ == nullptr; }
  Frontend& frontend() { return *frontend_; }
  Backend& backend() { return backend_; }

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
  std::int64_t random_;
  async::TimePoint started_;
  std::uint64_t bytes_up_ = 0;    // payload to the agent
  std::uint64_t bytes_down_ = 0;  // payload from the agent
  bool counted_established_ = false;
  bool waiting_for_answer_ = false;
};

/// The dials and connections of one link, in the order in which they came.
using LegsOfLink = boost::intrusive::list<
    LinkLeg, boost::intrusive::member_hook<LinkLeg, LinkLeg::Hook, &LinkLeg::among_legs>,
    boost::intrusive::constant_time_size<false>>;

}  // namespace tunnel
