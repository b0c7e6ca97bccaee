#include "tunnel/server/last_seen.h"

#include <fmt/format.h>

namespace tunnel {
namespace {

std::string ago(async::Duration passed) {
  using namespace std::chrono;
  if (passed < minutes(2)) return fmt::format("{} s ago", floor<seconds>(passed).count());
  if (passed < hours(2)) return fmt::format("{} min ago", floor<minutes>(passed).count());
  return fmt::format("{} h ago", floor<hours>(passed).count());
}

}  // namespace

void LastSeen::note(const std::vector<std::string>& keys, std::string_view agent,
                    std::string_view peer, async::TimePoint now) {
  // An agent and its peer's subject choose their names themselves.
  constexpr std::size_t kShown = RecentMap<Sighting>::kKeyBytes;
  const Sighting sighting{std::string(agent.substr(0, kShown)), std::string(peer.substr(0, kShown)),
                          now};
  for (const std::string& key : keys) sightings_.put(key, sighting);
}

std::string LastSeen::wanted(std::string_view host) const {
  switch (strategy_) {
    case Strategy::any:
      return "no agent is connected";
    case Strategy::default_route:
      return "no agent with default-route=true is connected";
    case Strategy::dest_host:
      return fmt::format("no agent for host \"{}\" is connected", host);
  }
  return {};
}

std::string_view LastSeen::never_seen() const {
  switch (strategy_) {
    case Strategy::any:
      return "look at the log of an agent: can it reach this server, and is its certificate good?";
    case Strategy::default_route:
      return "an agent announces it with --agent-identifiers=default-route=true";
    case Strategy::dest_host:
      return "check the name; an agent announces it with --agent-identifiers=host=NAME";
  }
  return {};
}

std::string LastSeen::explain(std::string_view host, async::TimePoint now) const {
  const Sighting* last =
      strategy_ == Strategy::dest_host ? sightings_.find(host) : sightings_.latest();
  if (last == nullptr)
    return fmt::format("{}, and none was since this server started; {}", wanted(host),
                       never_seen());
  return fmt::format(
      "{}; agent \"{}\" was until {}, from {}; on its cluster look at the agent's log, and whether "
      "it still reaches this server",
      wanted(host), last->agent, ago(now - last->at), last->peer);
}

}  // namespace tunnel
