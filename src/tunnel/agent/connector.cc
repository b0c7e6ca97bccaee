#include "tunnel/agent/connector.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace tunnel {

using async::Task;
using base::Result;

Connector::Connector(AgentContext& context, ServerLink::TlsSource tls, ServerCount& count,
                     Options options)
    : context_(context),
      tls_(std::move(tls)),
      count_(count),
      options_(std::move(options)),
      schedule_(options_.sync_interval, options_.sync_interval_cap),
      attempt_over_(context.executor),
      side_links_(context, tls_, options_.link, options_.more_loops),
      tasks_(context.executor) {}

Task<void> Connector::run() {
  for (;;) {
    CO_TRY(const Outcome outcome, co_await sync());
    CO_TRY_VOID(co_await context_.clock.sleep_for(schedule_.after(outcome, draining_ || enough())));
  }
}

Task<Connector::Outcome> Connector::sync() {
  if (draining_ || (enough() && !options_.sync_forever)) co_return Outcome::settled;
  auto routes = co_await find_routes(context_.clock, options_.servers, options_.proxies);
  if (!routes) {
    tell_failure("unresolved", routes.error().message);
    co_return Outcome::failed;
  }
  co_return co_await try_routes(in_order(*std::move(routes)));
}

// Behind a single address this is one attempt.
Task<Connector::Outcome> Connector::try_routes(std::vector<ServerRoute> routes) {
  std::erase_if(routes, [this](const ServerRoute& route) { return tries(route); });
  Outcome best = Outcome::failed;
  for (ServerRoute& route : routes) {
    const bool last = &route == &routes.back();
    const auto until = last ? async::TimePoint::max() : context_.clock.now() + kHeadStart;
    CO_TRY(const Outcome outcome, co_await try_route(std::move(route), until));
    if (outcome == Outcome::connected || best == Outcome::failed) best = outcome;
    if (draining_ || enough()) break;
  }
  co_return best;
}

// An attempt that takes longer than `until` goes on beside the next ones.
Task<Connector::Outcome> Connector::try_route(ServerRoute route, async::TimePoint until) {
  auto link = std::make_unique<ServerLink>(context_, tls_, options_.link, std::move(route),
                                           [this](ServerLink& changed) { link_changed(changed); });
  attempt_ = link.get();
  links_.push_back(link.get());
  tasks_.spawn("link", run_link(std::move(link)));
  attempt_outcome_ = Outcome::failed;
  while (attempt_ != nullptr && context_.clock.now() < until)
    CO_TRY_VOID(co_await context_.clock.wait(attempt_over_, until));
  attempt_ = nullptr;
  co_return attempt_outcome_;
}

Task<void> Connector::run_link(std::unique_ptr<ServerLink> link) {
  auto result = co_await link->run();
  std::erase(links_, link.get());
  co_return result;
}

void Connector::link_changed(ServerLink& link) {
  const bool awaited = &link == attempt_;
  if (link.state() == ServerLink::State::open && !is_connected(link)) {
    const Outcome outcome = opened(link);
    if (awaited) finish_attempt(outcome);
  } else if (link.state() == ServerLink::State::open) {
    open_still(link);
  } else if (link.state() == ServerLink::State::silent) {
    silent(link);
  } else if (link.state() == ServerLink::State::going_away) {
    schedule_.server_lost();
  } else if (link.state() == ServerLink::State::lost) {
    lost(link);
    if (awaited) finish_attempt(Outcome::failed);
  }
  auto& gauge = context_.metrics.open_server_connections;
  if (connected() || gauge.exists()) gauge.set(static_cast<double>(connected_count()));
}

// It wants further links, or it was silent.
void Connector::open_still(ServerLink& link) {
  if (connected_to(link.welcome().server_id, &link)) return link.retire();
  side_links_.want(link);
}

void Connector::silent(const ServerLink& link) {
  LOG_WARN("server silent, its connections wait", {"server", link.welcome().server_id},
           {"address", link.route().address});
  schedule_.server_lost();
}

void Connector::finish_attempt(Outcome outcome) {
  attempt_ = nullptr;
  attempt_outcome_ = outcome;
  attempt_over_.notify_all();
}

Connector::Outcome Connector::opened(ServerLink& link) {
  const auto& [server_id, server_count] = link.welcome();
  if (draining_ || connected_to(server_id)) {
    link.close();
    return Outcome::settled;
  }
  count_.heard(server_count);
  connected_.push_back(&link);
  told_.erase(link.route().address);
  LOG_INFO("connected to server", {"server", server_id}, {"address", link.route().address},
           {"servers", server_count});
  return Outcome::connected;
}

void Connector::lost(ServerLink& link) {
  const bool was_connected = std::erase(connected_, &link) > 0;
  if (!known(link.welcome().server_id)) side_links_.drop(link.welcome().server_id);
  if (link.error().is(base::Code::cancelled)) return;  // by us
  if (!was_connected) return tell_failure(link.route().address, link.error().message);
  schedule_.server_lost();
  context_.metrics.server_failed(ServerDirection::from_server);
  if (link.announced() && link.error().is(base::Code::closed)) {
    LOG_INFO("server went away, as it had said", {"server", link.welcome().server_id},
             {"address", link.route().address});
    return;
  }
  LOG_WARN("connection to server lost", {"server", link.welcome().server_id},
           {"address", link.route().address}, {"error", link.error()});
}

// A server that cannot be reached is tried for ever; the log hears of it when the reason changes,
// or after a while.
void Connector::tell_failure(const std::string& address, const std::string& reason) {
  constexpr async::Duration kAgainAfter = std::chrono::minutes(5);
  constexpr std::size_t kAddresses = 64;  // a name may give ever new ones
  const async::TimePoint now = context_.clock.now();
  if (told_.size() >= kAddresses && !told_.contains(address)) told_.clear();
  Told& last = told_[address];
  if (last.reason == reason && now - last.at < kAgainAfter) {
    LOG_DEBUG("cannot connect to server", {"address", address}, {"error", reason});
    return;
  }
  last = {reason, now};
  LOG_WARN("cannot connect to server, trying on", {"address", address}, {"error", reason});
}

void Connector::drain() {
  draining_ = true;
  for (ServerLink* link : connected_) link->drain();
  side_links_.drain();
}

bool Connector::enough() {
  const int wanted = count_.known();
  context_.metrics.known_server_count.set(wanted);
  return connected_count() >= static_cast<std::size_t>(wanted);
}

std::size_t Connector::connected_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connected_, [](const ServerLink* link) { return link->state() == ServerLink::State::open; }));
}

bool Connector::is_connected(const ServerLink& link) const {
  return std::ranges::find(connected_, &link) != connected_.end();
}

bool Connector::connected_to(const std::string& server_id, const ServerLink* beside) const {
  return std::ranges::any_of(connected_, [&](const ServerLink* link) {
    return link != beside && link->state() == ServerLink::State::open &&
           link->welcome().server_id == server_id;
  });
}

bool Connector::known(const std::string& server_id) const {
  return std::ranges::any_of(
      connected_, [&](const ServerLink* link) { return link->welcome().server_id == server_id; });
}

std::size_t Connector::links_over(const ServerRoute& route) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connected_, [&](const ServerLink* link) { return link->route() == route; }));
}

bool Connector::tries(const ServerRoute& route) const {
  return std::ranges::any_of(links_, [&](const ServerLink* link) {
    return link->state() == ServerLink::State::opening && link->route() == route;
  });
}

std::vector<ServerRoute> Connector::in_order(std::vector<ServerRoute> routes) {
  const auto first = routes.begin() + static_cast<std::ptrdiff_t>(rotation_++ % routes.size());
  std::ranges::rotate(routes, first);
  std::vector<std::pair<std::size_t, ServerRoute>> loaded;
  for (auto& route : routes) loaded.emplace_back(links_over(route), std::move(route));
  std::vector<ServerRoute> ordered;
  for (std::size_t load = 0; ordered.size() < loaded.size(); ++load) {
    for (auto& [links, route] : loaded) {
      if (links == load) ordered.push_back(std::move(route));
    }
  }
  return ordered;
}

Task<void> Connector::stop() {
  for (ServerLink* link : links_) link->stop();
  CO_TRY_VOID(co_await side_links_.stop());
  co_await tasks_.join();
  co_return Result<void>{};
}

}  // namespace tunnel
