#include "tunnel/server/router.h"

#include <algorithm>
#include <optional>

#include "base/id.h"
#include "tunnel/native.h"
#include "tunnel/server/backend.h"

namespace tunnel {
namespace {

enum class Fitness { good, draining, silent };

Fitness fitness(const Backend& backend, async::TimePoint now) {
  const bool full = backend.connections() >= native::kConnectionsOfLink;
  if (full || backend.silent(now)) return Fitness::silent;
  return backend.draining() ? Fitness::draining : Fitness::good;
}

// The fittest link of an agent; of those one on this loop, of those the one with the fewest
// connections. A first link is never taken in place of an older one: the agent closes the newer
// duplicate.
struct Choice {
  Backend* backend = nullptr;
  Fitness fit = Fitness::silent;

  void offer(Backend& candidate, async::TimePoint now) {
    const Fitness other = fitness(candidate, now);
    const bool fitter = backend == nullptr || other < fit;
    const bool nearer = !fitter && other == fit && backend->remote() && !candidate.remote();
    const bool alike = !fitter && other == fit && backend->remote() == candidate.remote();
    const bool emptier =
        alike && candidate.further() && candidate.connections() < backend->connections();
    if (fitter || nearer || emptier) *this = {&candidate, other};
  }
};

std::vector<std::string> listed(const Identifiers& announced) {
  std::vector<std::string> all;
  const auto add = [&](std::string_view kind, const std::vector<std::string>& values) {
    for (const std::string& value : values) all.push_back(fmt::format("{}={}", kind, value));
  };
  add("host", announced.host);
  add("ipv4", announced.ipv4);
  add("ipv6", announced.ipv6);
  add("cidr", announced.cidr);
  if (announced.default_route) all.emplace_back("default-route=true");
  return all;
}

LinkStatus status_of(Backend& backend, async::TimePoint now) {
  const LinkRecord& record = backend.record();
  return {.cluster = backend.cluster(),
          .certified = !backend.clusters().empty(),
          .agent_id = backend.agent_id(),
          .identifiers = listed(backend.identifiers()),
          .kind = std::string(backend.kind()),
          .peer = backend.peer(),
          .since = record.since,
          .round_trip = backend.round_trip(),
          .connections = backend.connections(),
          .bytes_to_agent = record.bytes_to_agent,
          .bytes_from_agent = record.bytes_from_agent,
          .dials = record.dials,
          .failed_dials = record.failed_dials,
          .draining = backend.draining(),
          .silent = backend.silent(now),
          .last_error = record.last_error};
}

}  // namespace

void keep_busiest(std::vector<ConnectionStatus>& connections, std::size_t count) {
  const auto bytes = [](const ConnectionStatus& each) {
    return each.bytes_to_agent + each.bytes_from_agent;
  };
  const std::size_t kept = std::min(count, connections.size());
  std::ranges::partial_sort(connections, connections.begin() + static_cast<std::ptrdiff_t>(kept),
                            std::ranges::greater(), bytes);
  connections.resize(kept);
}

std::string destination_host(std::string_view address) {
  const auto colons = std::ranges::count(address, ':');
  std::string_view host = address;
  if (colons <= 1) {
    host = address.substr(0, address.find(':'));
  } else if (address.find('[') != std::string_view::npos) {
    host = address.substr(0, address.rfind(':'));
  }
  while (host.starts_with('[')) host.remove_prefix(1);
  while (host.ends_with(']')) host.remove_suffix(1);
  return std::string(host);
}

std::vector<std::string> BackendPool::keys_of(const Backend& backend) const {
  const Identifiers& announced = backend.identifiers();
  std::vector<std::string> keys;
  switch (strategy_) {
    case Strategy::any:
      keys.push_back(backend.agent_id());
      break;
    case Strategy::default_route:
      if (announced.default_route) keys.push_back(backend.agent_id());
      break;
    case Strategy::dest_host:
      for (const auto* list : {&announced.ipv4, &announced.ipv6, &announced.host})
        keys.insert(keys.end(), list->begin(), list->end());
      break;
  }
  return keys;
}

void BackendPool::add(Backend& backend) {
  for (const std::string& key : keys_of(backend)) {
    const auto [entry, fresh] = entries_.try_emplace(key, Entry{keys_.size(), {}});
    if (fresh) keys_.push_back(key);
    Streams& streams = entry->second.streams;
    if (std::ranges::find(streams, &backend) == streams.end()) streams.push_back(&backend);
  }
}

void BackendPool::remove(Backend& backend, async::TimePoint now) {
  const std::vector<std::string> keys = keys_of(backend);
  last_seen_.note(keys, backend.agent_id(), backend.peer(), now);
  for (const std::string& key : keys) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) continue;
    std::erase(found->second.streams, &backend);
    if (!found->second.streams.empty()) continue;
    const std::size_t hole = found->second.position;
    entries_.erase(found);
    if (hole + 1 != keys_.size()) {
      keys_[hole] = std::move(keys_.back());
      entries_.at(keys_[hole]).position = hole;
    }
    keys_.pop_back();
  }
}

Backend* BackendPool::pick(std::string_view address, async::TimePoint now) const {
  return strategy_ == Strategy::dest_host ? pick_by_host(address, now) : pick_any(now);
}

// All live agents of a host share its dials; of several streams of one agent the fittest counts.
Backend* BackendPool::pick_by_host(std::string_view address, async::TimePoint now) const {
  const auto found = entries_.find(destination_host(address));
  if (found == entries_.end()) return nullptr;
  std::vector<Choice> agents;
  for (Backend* stream : found->second.streams) {
    const auto same = std::ranges::find_if(agents, [&](const Choice& choice) {
      return choice.backend->agent_id() == stream->agent_id();
    });
    Choice& choice = same != agents.end() ? *same : agents.emplace_back();
    choice.offer(*stream, now);
  }
  const Fitness best = std::ranges::min(agents, {}, &Choice::fit).fit;
  std::erase_if(agents, [&](const Choice& choice) { return choice.fit != best; });
  return agents[base::random_u64() % agents.size()].backend;
}

Backend* BackendPool::pick_any(async::TimePoint now) const {
  Choice best;
  const std::size_t start = keys_.empty() ? 0 : base::random_u64() % keys_.size();
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    Choice agent;
    for (Backend* stream : entries_.at(keys_[(start + i) % keys_.size()]).streams)
      agent.offer(*stream, now);
    if (best.backend == nullptr || agent.fit < best.fit) best = agent;
    if (best.fit == Fitness::good) break;
  }
  return best.backend;
}

bool BackendPool::held_by_other(const std::string& key,
                                const std::vector<std::string>& clusters) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return false;
  return std::ranges::any_of(found->second.streams, [&](const Backend* stream) {
    return std::ranges::find_first_of(stream->clusters(), clusters) == stream->clusters().end();
  });
}

std::string BackendPool::why_none(std::string_view address, async::TimePoint now) const {
  return last_seen_.explain(destination_host(address), now);
}

Router::Router(const std::vector<Strategy>& strategies, ServerMetrics& metrics,
               Directory* directory)
    : directory_(directory), metrics_(metrics) {
  for (const Strategy strategy : strategies) pools_.emplace_back(strategy);
  publish();
}

void Router::add(Backend& backend) {
  links_.emplace(backend.agent_id(), &backend);
  for (BackendPool& pool : pools_) pool.add(backend);
  publish();
  if (backend.remote()) return;
  backend.entry()->backend = &backend;
  if (directory_ != nullptr) directory_->announce(backend);
}

void Router::remove(Backend& backend, async::TimePoint now) {
  const auto [first, last] = links_.equal_range(backend.agent_id());
  const auto found =
      std::find_if(first, last, [&](const auto& link) { return link.second == &backend; });
  if (found == last) return;
  links_.erase(found);
  for (BackendPool& pool : pools_) pool.remove(backend, now);
  publish();
  if (backend.remote()) return;
  note_departure(backend, now);
  backend.entry()->backend = nullptr;
  if (directory_ != nullptr) directory_->withdraw(backend);
}

// Peers choose these texts themselves.
void Router::note_departure(const Backend& backend, async::TimePoint now) {
  constexpr std::size_t kShown = RecentMap<Departure>::kKeyBytes;
  const auto& error = backend.record().last_error;
  departures_.put(backend.cluster(),
                  {.agent_id = backend.agent_id().substr(0, kShown),
                   .peer = backend.peer().substr(0, kShown),
                   .at = now,
                   .reason = error && error->at == now ? error->text.substr(0, kShown) : ""});
}

ServerStatus Router::status(std::size_t connections, async::TimePoint now) const {
  ServerStatus status;
  for (const auto& [agent, backend] : links_) {
    if (backend->remote()) continue;
    status.links.push_back(status_of(*backend, now));
    for (const LinkLeg& leg : backend->legs()) {
      auto connection = connections > 0 ? leg.status() : std::nullopt;
      if (connection) status.connections.push_back(*std::move(connection));
      ++status.connections_total;
    }
  }
  for (const auto& [cluster, last] : departures_.entries())
    status.departures.push_back({cluster, last.agent_id, last.peer, last.at, last.reason});
  keep_busiest(status.connections, connections);
  return status;
}

void Router::tell_draining() const {
  for (const auto& [agent, backend] : links_)
    if (!backend->remote()) backend->tell_draining();
}

void Router::probe_links_of(const std::string& agent_id) const {
  const auto [first, last] = links_.equal_range(agent_id);
  for (auto link = first; link != last; ++link) link->second->probe();
}

Backend* Router::pick(std::string_view address, async::TimePoint now) const {
  for (const BackendPool& pool : pools_) {
    if (Backend* backend = pool.pick(address, now)) return backend;
  }
  return nullptr;
}

bool Router::held_by_other(const std::string& identifier,
                           const std::vector<std::string>& clusters) const {
  return std::ranges::any_of(pools_, [&](const BackendPool& pool) {
    return pool.strategy() == Strategy::dest_host && pool.held_by_other(identifier, clusters);
  });
}

std::string Router::why_none(std::string_view address, async::TimePoint now) const {
  std::string reasons;
  for (const BackendPool& pool : pools_) {
    if (!reasons.empty()) reasons += "; and ";
    reasons += pool.why_none(address, now);
  }
  return reasons;
}

void Router::publish() {
  for (const BackendPool& pool : pools_) metrics_.set_ready_backends(pool.strategy(), pool.keys());
}

}  // namespace tunnel
