#include "app/status_page.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace app {
namespace {

namespace json = boost::json;
using tunnel::ConnectionStatus;
using tunnel::DepartureStatus;
using tunnel::LinkStatus;
using tunnel::Mishap;

constexpr int kVersion = 1;  // of the page: grows when a member changes its meaning or goes

double seconds(async::Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Moments of the steady clock as people read them.
class Moments {
 public:
  explicit Moments(const async::Clock& clock) : now_(clock.now()), wall_(clock.wall_now()) {}

  double age(async::TimePoint then) const { return seconds(now_ - then); }
  std::string text(async::TimePoint then) const {
    const auto wall = wall_ - std::chrono::duration_cast<WallDuration>(now_ - then);
    return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(wall)));
  }
  std::string now() const { return text(now_); }

 private:
  using WallDuration = std::chrono::system_clock::duration;
  async::TimePoint now_;
  std::chrono::system_clock::time_point wall_;
};

/// One cluster: its links, or what is known of its last one.
struct Cluster {
  std::vector<const LinkStatus*> links;
  const DepartureStatus* departure = nullptr;  // the latest
};
using Clusters = std::map<std::string_view, Cluster>;

Clusters by_cluster(const tunnel::ServerStatus& status) {
  Clusters clusters;
  for (const LinkStatus& link : status.links) clusters[link.cluster].links.push_back(&link);
  for (const DepartureStatus& departure : status.departures) {
    const DepartureStatus*& latest = clusters[departure.cluster].departure;
    if (latest == nullptr || latest->at < departure.at) latest = &departure;
  }
  return clusters;
}

json::value mishap(const std::optional<Mishap>& error, const Moments& moments) {
  if (!error) return nullptr;
  return json::object{{"text", error->text}, {"at", moments.text(error->at)}};
}

json::value round_trip(const LinkStatus& link) {
  return link.round_trip ? json::value(seconds(*link.round_trip)) : json::value(nullptr);
}

json::object link_object(const LinkStatus& link, const Moments& moments) {
  return {{"agent", link.agent_id},
          {"kind", link.kind},
          {"from", link.peer},
          {"connectedAt", moments.text(link.since)},
          {"ageSeconds", moments.age(link.since)},
          {"roundTripSeconds", round_trip(link)},
          {"openConnections", link.connections},
          {"bytesToAgent", link.bytes_to_agent},
          {"bytesFromAgent", link.bytes_from_agent},
          {"dials", link.dials},
          {"failedDials", link.failed_dials},
          {"draining", link.draining},
          {"silent", link.silent},
          {"lastError", mishap(link.last_error, moments)}};
}

// Of the fittest link: that is the one that gets the dials.
std::string_view state_of(const Cluster& cluster) {
  if (cluster.links.empty()) return "gone";
  const auto fit = [](const LinkStatus* link) { return !link->silent && !link->draining; };
  if (std::ranges::any_of(cluster.links, fit)) return "connected";
  const auto speaks = [](const LinkStatus* link) { return !link->silent; };
  return std::ranges::any_of(cluster.links, speaks) ? "draining" : "silent";
}

void add_sums(json::object& object, const Cluster& cluster) {
  std::size_t connections = 0;
  std::uint64_t to = 0, from = 0, dials = 0, failed = 0;
  for (const LinkStatus* link : cluster.links) {
    connections += link->connections;
    to += link->bytes_to_agent;
    from += link->bytes_from_agent;
    dials += link->dials;
    failed += link->failed_dials;
  }
  object["openConnections"] = connections;
  object["bytesToAgents"] = to;
  object["bytesFromAgents"] = from;
  object["dials"] = dials;
  object["failedDials"] = failed;
}

std::optional<Mishap> latest_error(const Cluster& cluster) {
  std::optional<Mishap> latest;
  const auto consider = [&](const Mishap& error) {
    if (!latest || latest->at < error.at) latest = error;
  };
  for (const LinkStatus* link : cluster.links)
    if (link->last_error) consider(*link->last_error);
  if (const DepartureStatus* gone = cluster.departure; gone != nullptr && !gone->reason.empty())
    consider({gone->reason, gone->at});
  return latest;
}

void add_last_seen(json::object& object, const Cluster& cluster, const Moments& moments) {
  if (!cluster.links.empty()) {
    object["lastSeen"] = moments.now();
    return;
  }
  object["lastSeen"] = moments.text(cluster.departure->at);
  object["lastSeenSecondsAgo"] = moments.age(cluster.departure->at);
  object["lastSeenFrom"] = cluster.departure->peer;
  object["lastAgent"] = cluster.departure->agent_id;
}

json::object cluster_object(std::string_view name, const Cluster& cluster, const Moments& moments) {
  json::array links;
  std::set<std::string_view> identifiers, agents;
  bool certified = !cluster.links.empty();
  for (const LinkStatus* link : cluster.links) {
    links.push_back(link_object(*link, moments));
    identifiers.insert(link->identifiers.begin(), link->identifiers.end());
    agents.insert(link->agent_id);
    certified = certified && link->certified;
  }
  json::object object{{"name", name},
                      {"state", state_of(cluster)},
                      {"certified", certified},
                      {"identifiers", json::array(identifiers.begin(), identifiers.end())},
                      {"agents", agents.size()}};
  add_sums(object, cluster);
  object["lastError"] = mishap(latest_error(cluster), moments);
  add_last_seen(object, cluster, moments);
  object["links"] = std::move(links);
  return object;
}

json::object connection_object(const ConnectionStatus& connection, const Moments& moments) {
  return {{"id", connection.id},
          {"client", connection.client},
          {"target", connection.target},
          {"cluster", connection.cluster},
          {"agent", connection.agent_id},
          {"state", connection.dialing ? "dialing" : "established"},
          {"startedAt", moments.text(connection.since)},
          {"ageSeconds", moments.age(connection.since)},
          {"bytesToAgent", connection.bytes_to_agent},
          {"bytesFromAgent", connection.bytes_from_agent}};
}

std::string_view to_string(tunnel::IdentityMode mode) {
  switch (mode) {
    case tunnel::IdentityMode::off:
      return "off";
    case tunnel::IdentityMode::warn:
      return "warn";
    case tunnel::IdentityMode::enforce:
      return "enforce";
  }
  return "off";
}

json::object server_object(const StatusFrame& frame, const Moments& moments) {
  json::array strategies;
  for (const tunnel::Strategy strategy : frame.config.strategies)
    strategies.emplace_back(tunnel::to_string(strategy));
  return {{"id", frame.config.server_id},
          {"version", frame.config.version},
          {"startedAt", moments.text(frame.started)},
          {"uptimeSeconds", moments.age(frame.started)},
          {"threads", frame.config.threads},
          {"strategies", std::move(strategies)},
          {"clusterIdentity", to_string(frame.config.identity.mode())},
          {"stopping", frame.stopping}};
}

}  // namespace

std::string status_page(const StatusFrame& frame, const tunnel::ServerStatus& status,
                        const async::Clock& clock) {
  const Moments moments(clock);
  json::array clusters, connections;
  for (const auto& [name, cluster] : by_cluster(status))
    clusters.push_back(cluster_object(name, cluster, moments));
  for (const ConnectionStatus& connection : status.connections)
    connections.push_back(connection_object(connection, moments));
  const json::object page{{"version", kVersion},
                          {"time", moments.now()},
                          {"server", server_object(frame, moments)},
                          {"clusters", std::move(clusters)},
                          {"connectionsTotal", status.connections_total},
                          {"connections", std::move(connections)}};
  return json::serialize(page) + "\n";
}

}  // namespace app
