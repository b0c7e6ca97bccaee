#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "kube/client.h"
#include "kube/event_recorder.h"
#include "kube/request.h"
#include "kube/time.h"

namespace controller {

namespace json = boost::json;

/// One candidate's view of a Lease that all candidates write, by client-go's rules. No I/O and no
/// clock of its own.
///
/// Clocks of others are never believed: a lease runs from the moment in which this candidate saw it
/// change last.
class ElectionState {
 public:
  /// `identity` is ours among all candidates.
  ElectionState(std::string identity, std::chrono::seconds duration)
      : identity_(std::move(identity)), duration_(duration) {}

  /// The lease as the server has it now.
  void seen(json::object lease, async::TimePoint now);
  /// There is none.
  void seen_none();

  bool known() const { return !lease_.empty(); }
  /// Who the lease names; "" when it is free.
  std::string_view holder() const;
  bool leading() const { return known() && holder() == identity_; }
  /// Whether the lease has not run out, whoever holds it.
  bool valid(async::TimePoint now) const;
  /// Whether the lease is ours to write: it is free, or ours, or has run out.
  bool may_take(async::TimePoint now) const { return holder().empty() || leading() || !valid(now); }

  /// The lease with us as its holder, to be created or put in the place of the one last seen.
  json::object claim(kube::WallTime now) const;
  /// The lease as free, so that the next candidate need not wait for it to run out.
  json::object released(kube::WallTime now) const;

 private:
  json::object with_spec(json::object spec) const;

  std::string identity_;
  std::chrono::seconds duration_;
  json::object lease_;  // as last seen; empty = there is none
  async::TimePoint changed_{};
};

/// `<host>_<uuid>`: an identity that is new with each process.
std::string election_identity();

/// Makes one of many candidates the leader, by a Lease.
///
/// Flow: co_await acquire(); work; co_await hold() beside the work, and end the work when it
/// returns; co_await release() when the program ends, after the work has ended.
/// Guarantees: acquire() waits as long as another one leads. hold() returns before another
/// candidate can take the lease.
/// Thread: that of the loop. `client` and `events` outlive it.
class LeaderElection {
 public:
  struct Options {
    std::string in_namespace;
    std::string name;
    std::string identity = election_identity();
    std::chrono::seconds lease_duration{15};
    std::chrono::seconds renew_deadline{10};
    std::chrono::seconds retry_period{2};
    /// An owner reference: the Lease goes with that object. Unset or {}: it stays for ever.
    std::function<json::object()> owner;
  };
  /// `events` may be null.
  LeaderElection(kube::Client& client, Options options, kube::EventRecorder* events);

  /// Returns when we lead, or with Code::cancelled.
  async::Task<void> acquire();
  /// Renews the lease. Returns when that has not worked within the deadline: Code::timeout, or
  /// Code::conflict when another one leads already.
  async::Task<void> hold();
  /// Frees the lease if we hold it; within the time of one request.
  async::Task<void> release();

  bool leading() const { return state_.leading(); }
  /// Who leads, as far as we know; "" when nobody does.
  std::string_view leader() const { return state_.holder(); }
  const std::string& identity() const { return options_.identity; }

 private:
  kube::Task<void> try_once();
  kube::Task<void> renew_optimistically();
  kube::Task<void> look();
  kube::Task<void> write(http::ClientRequest request);
  json::object claim() const;
  kube::Task<json::object> send(http::ClientRequest request);
  async::Task<void> renew();
  void report(std::string_view what);
  void note_leader();

  kube::Client& client_;
  Options options_;
  kube::EventRecorder* events_;
  kube::Api api_;
  ElectionState state_;
  async::TimePoint written_{};  // when our last write that went well began
  std::string noted_;           // the leader that the log knows of
};

}  // namespace controller
