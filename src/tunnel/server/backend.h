#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/clock.h"
#include "base/bytes.h"
#include "tunnel/identifiers.h"
#include "tunnel/server/client_rules.h"
#include "tunnel/server/directory.h"
#include "tunnel/server/leg.h"
#include "tunnel/server/link_leg.h"
#include "tunnel/server_metrics.h"

namespace tunnel {

struct ServerContext;

/// What a client asks for.
struct DialRequest {
  std::string network;  // "tcp"; empty = tcp
  std::string target;   // "host:port", as the client wrote it
  std::int64_t client_random = 0;
  base::Bytes packet;  // the client's DIAL_REQ, where it sent one: forwarded as it came
};

/// What a link has carried and met, for people. Thread: that of the link's loop.
struct LinkRecord {
  async::TimePoint since;  // it was admitted
  std::uint64_t bytes_to_agent = 0;
  std::uint64_t bytes_from_agent = 0;
  std::uint64_t dials = 0;
  std::uint64_t failed_dials = 0;
  std::optional<Mishap> last_error = {};  // of a dial, or of the link

  void failed(std::string why, async::TimePoint now) {
    ++failed_dials;
    last_error = {std::move(why), now};
  }
};

/// Who is at the other end of a link, before it said anything.
struct AgentPeer {
  std::string name;                        // for the log
  std::vector<std::string> clusters = {};  // that its certificate names
};

/// One link of one agent, as routers and frontends see it, whatever it speaks.
/// Thread: that of the loop.
class Backend {
 public:
  virtual ~Backend() = default;

  /// Asks the agent to dial. Never answers before it has returned. Null: this link takes no more.
  virtual Leg* dial(Leg::Frontend& frontend, const DialRequest& request) = 0;
  /// Asks the agent to close a connection, unless it is one of ours.
  virtual void close_if_unknown(std::int64_t /*connect_id*/) {}
  /// The agent has answered a dial.
  virtual void heard() {}
  /// It owes an answer and has said nothing for seconds.
  virtual bool silent(async::TimePoint now) const = 0;
  /// Tells the agent that this server is about to go, where the link has a word for it.
  virtual void tell_draining() {}
  /// Asks for a sign of life, since another link of the same agent has appeared.
  virtual void probe() = 0;

  const std::string& agent_id() const { return agent_id_; }
  const Identifiers& identifiers() const { return identifiers_; }
  /// The clusters that the agent's certificate names.
  const std::vector<std::string>& clusters() const { return clusters_; }
  /// The cluster that it is for people: the first of them, else what the agent calls itself.
  const std::string& cluster() const { return clusters_.empty() ? agent_id_ : clusters_.front(); }
  const std::string& peer() const { return peer_; }
  /// Not to be chosen while another can have the dial.
  virtual bool draining() const { return entry_->draining; }
  /// It is not the agent's first link to this server: all are meant to be used.
  virtual bool further() const { return entry_->further; }
  /// Dials and connections that it carries.
  virtual std::size_t connections() const { return entry_->connections; }
  /// What it speaks: "native", "konnectivity".
  virtual std::string_view kind() const = 0;
  /// As measured last; nothing when it never was.
  virtual std::optional<async::Duration> round_trip() { return std::nullopt; }
  LinkRecord& record() { return record_; }
  const LinkRecord& record() const { return record_; }
  /// Dials and connections on it.
  LegsOfLink& legs() { return legs_; }
  const LegsOfLink& legs() const { return legs_; }
  /// It lives on another loop.
  virtual bool remote() const { return false; }
  const std::shared_ptr<LinkEntry>& entry() const { return entry_; }
  AgentTraffic& traffic() { return *traffic_; }

 protected:
  /// A session's round trip is zero until it was measured.
  static std::optional<async::Duration> measured(async::Duration round_trip) {
    if (round_trip.count() == 0) return std::nullopt;
    return round_trip;
  }

  Backend(AgentPeer peer, std::shared_ptr<LinkEntry> entry)
      : peer_(std::move(peer.name)),
        clusters_(std::move(peer.clusters)),
        entry_(std::move(entry)) {}
  void introduce(std::string agent_id, Identifiers identifiers, ServerMetrics& metrics) {
    agent_id_ = std::move(agent_id);
    identifiers_ = std::move(identifiers);
    traffic_.emplace(metrics.traffic_of(agent_id_));
  }

 private:
  std::string peer_;
  std::vector<std::string> clusters_;
  std::shared_ptr<LinkEntry> entry_;
  std::string agent_id_;
  Identifiers identifiers_;
  std::optional<AgentTraffic> traffic_;
  LinkRecord record_;
  LegsOfLink legs_;
};

/// What came of a dial at once.
struct Dialed {
  Leg* leg = nullptr;  // null: there is none, for this reason
  DialFailure reason = DialFailure::no_agent;
  std::string error;
};

/// Has `request` of `client` dialed by the agent that serves its target. No leg when there is no
/// agent, or the client must not go there: counted and logged, and the frontend's to answer.
Dialed dial_any(ServerContext& context, Leg::Frontend& frontend, const DialRequest& request,
                const Client& client);

/// Whether a peer that owes an answer is silent for long. Part of a LinkEntry, where other loops
/// see it.
class AnswerWatch {
 public:
  /// An agent that owes an answer for so long is chosen last.
  static constexpr async::Duration kAnswerWithin = std::chrono::seconds(2);

  AnswerWatch(async::Clock& clock, LinkEntry& entry) : clock_(clock), entry_(entry) {}

  /// The peer must answer from now on.
  void owe() {
    if (!owing()) entry_.owing_since.store(clock_.now().time_since_epoch().count());
  }
  void heard() {
    if (owing()) entry_.owing_since.store(0, std::memory_order_relaxed);
  }
  bool owing() const { return entry_.owing_since.load(std::memory_order_relaxed) != 0; }
  bool silent(async::TimePoint now) const {
    const async::Duration since(entry_.owing_since.load(std::memory_order_relaxed));
    return since.count() != 0 && now - async::TimePoint(since) > kAnswerWithin;
  }

 private:
  async::Clock& clock_;
  LinkEntry& entry_;
};

}  // namespace tunnel
