#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/clock.h"
#include "tunnel/server/last_seen.h"
#include "tunnel/server/recent_map.h"
#include "tunnel/server/status.h"
#include "tunnel/server_metrics.h"
#include "tunnel/strategy.h"

namespace tunnel {

class Backend;
class Directory;

/// The host of a dial's "host:port" as konnectivity cuts it: for matching against what agents
/// announce.
std::string destination_host(std::string_view address);

/// The backends that one strategy can choose from, each under one or more keys, in order of
/// arrival.
class BackendPool {
 public:
  explicit BackendPool(Strategy strategy) : strategy_(strategy), last_seen_(strategy) {}

  void add(Backend& backend);
  void remove(Backend& backend, async::TimePoint now);
  Backend* pick(std::string_view address, async::TimePoint now) const;
  /// For the log: why pick() finds nobody.
  std::string why_none(std::string_view address, async::TimePoint now) const;
  std::size_t keys() const { return keys_.size(); }
  bool held_by_other(const std::string& key, const std::vector<std::string>& clusters) const;
  Strategy strategy() const { return strategy_; }

 private:
  using Streams = std::vector<Backend*>;
  std::vector<std::string> keys_of(const Backend& backend) const;
  Backend* pick_by_host(std::string_view address, async::TimePoint now) const;
  Backend* pick_any(async::TimePoint now) const;

  Strategy strategy_;
  std::vector<std::string> keys_;  // in no order
  struct Entry {
    std::size_t position;  // in keys_
    Streams streams;
  };
  std::unordered_map<std::string, Entry> entries_;
  LastSeen last_seen_;
};

/// Finds the agent for a dial: asks its strategies in order, the first that knows one decides.
/// Among the streams of a key those that work are preferred to draining ones, and those to silent
/// ones that owe an answer.
class Router {
 public:
  /// `directory`, if there is one, hears of the links of this loop.
  Router(const std::vector<Strategy>& strategies, ServerMetrics& metrics,
         Directory* directory = nullptr);

  void add(Backend& backend);
  void remove(Backend& backend, async::TimePoint now);
  Backend* pick(std::string_view address, async::TimePoint now) const;
  /// For the log: why pick() finds nobody, when the agent was last there, and where to look.
  std::string why_none(std::string_view address, async::TimePoint now) const;
  /// Whether an agent of another cluster than these, by its certificate, has the identifier.
  bool held_by_other(const std::string& identifier, const std::vector<std::string>& clusters) const;
  /// At least one agent serves the first strategy.
  bool ready() const { return pools_.front().keys() > 0; }
  /// Links of all agents.
  std::size_t size() const { return links_.size(); }
  /// The links of this loop, those that have gone among its departures, and of their connections
  /// at most `connections`, those with the most bytes.
  ServerStatus status(std::size_t connections, async::TimePoint now) const;
  /// Tells the agents of this loop's links that the server is about to go.
  void tell_draining() const;
  /// Asks every other link of the agent for a sign of life, since a new one has appeared.
  void probe_links_of(const std::string& agent_id) const;

 private:
  struct Departure {
    std::string agent_id;
    std::string peer;
    async::TimePoint at;
    std::string reason;
  };

  void publish();
  void note_departure(const Backend& backend, async::TimePoint now);

  Directory* directory_;
  std::vector<BackendPool> pools_;
  std::unordered_multimap<std::string, Backend*> links_;  // by agent id
  RecentMap<Departure> departures_{LastSeen::kKept};      // of this loop, by cluster
  ServerMetrics& metrics_;
};

}  // namespace tunnel
