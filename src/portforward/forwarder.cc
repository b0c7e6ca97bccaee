#include "portforward/forwarder.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "net/socket_stream.h"

namespace portforward {

using async::Task;
using base::Code;
using base::fail;
using base::Result;

namespace {

ConnectionPool::Options counting(ConnectionPool::Options options, ForwarderMetrics& metrics) {
  options.connection.on_stall = [&metrics] { metrics.stalled.add(); };
  return options;
}

}  // namespace

Forwarder::Forwarder(const Surroundings& surroundings, std::unique_ptr<net::Listener> listener,
                     Options options)
    : surroundings_(surroundings),
      listener_(std::move(listener)),
      options_(std::move(options)),
      pool_(surroundings.loop.get_executor(), surroundings.clock, surroundings.dialer,
            counting(options_.pool, surroundings.metrics)),
      served_(surroundings.loop.get_executor()),
      tasks_(surroundings.loop.get_executor()) {}

void Forwarder::start() {
  surroundings_.pods.on_gone([this](const PodName& pod) {
    pool_.drop(pod);
    troubles_.erase(pod);
  });
  pool_.start();
  tasks_.spawn("accept", accept());
}

Task<void> Forwarder::drain() {
  draining_ = true;
  listener_->close();
  while (serving_ > 0) CO_TRY_VOID(co_await served_.wait());
  co_return Result<void>{};
}

async::Awaitable<void> Forwarder::stop() {
  surroundings_.pods.on_gone({});
  listener_->close();
  tasks_.cancel();
  co_await tasks_.join();
  co_await pool_.stop();
}

Task<void> Forwarder::accept() {
  for (;;) {
    CO_TRY(auto socket, co_await listener_->accept());
    net::tune(socket, {});
    tasks_.spawn("tunnel", serve(net::make_socket_stream(std::move(socket))));
  }
}

Task<void> Forwarder::serve(std::unique_ptr<net::Stream> local) {
  ++serving_;
  auto outcome = co_await lead_on(std::move(local));
  --serving_;
  served_.notify_all();
  co_return outcome;
}

Task<void> Forwarder::lead_on(std::unique_ptr<net::Stream> local) {
  auto opened = co_await open();
  auto& metrics = surroundings_.metrics;
  metrics.connections.set(static_cast<double>(pool_.connections()));
  if (!opened) {
    metrics.failed.add();
    last_failure_ = opened.error().message;
    LOG_WARN("no tunnel to a proxy server", {"client", local->peer()}, {"error", opened.error()});
    local->abort();
    co_return Result<void>{};
  }
  metrics.opened.add();
  ready_ = true;
  last_failure_.clear();
  metrics.tunnels.add();
  auto carried = co_await carry(*local, std::move(*opened));
  metrics.tunnels.subtract();
  metrics.connections.set(static_cast<double>(pool_.connections()));
  co_return carried;
}

Task<void> Forwarder::carry(net::Stream& local, ConnectionPool::Opened opened) {
  auto& metrics = surroundings_.metrics;
  Tunnel tunnel(surroundings_.loop.get_executor(), surroundings_.clock, local, opened.pair());
  auto ended = co_await tunnel.run();
  metrics.bytes_up.add(static_cast<double>(tunnel.bytes_up()));
  metrics.bytes_down.add(static_cast<double>(tunnel.bytes_down()));
  if (!ended) metrics.broken.add();
  if (options_.access_log || !ended) {
    LOG_INFO("tunnel ended", {"client", local.peer()}, {"sent", tunnel.bytes_up()},
             {"received", tunnel.bytes_down()},
             {"reason", ended ? std::string("both sides have finished") : ended.error().message});
  }
  co_return Result<void>{};
}

// The fewest tunnels first; among equals everybody gets a turn. Where all are in trouble, as after
// an outage of the line, any of them may be well again: who asks has a pace of its own.
std::vector<PodName> Forwarder::in_order() {
  auto pods = surroundings_.pods.candidates();
  const auto now = surroundings_.clock.now();
  const auto in_trouble = [&](const PodName& pod) {
    const auto trouble = troubles_.find(pod);
    return trouble != troubles_.end() && trouble->second.until > now;
  };
  if (!std::ranges::all_of(pods, in_trouble)) std::erase_if(pods, in_trouble);
  const auto load = [this](const PodName& pod) { return pool_.tunnels(pod); };
  if (!pods.empty()) {
    std::ranges::rotate(pods, pods.begin() + static_cast<std::ptrdiff_t>(turn_++ % pods.size()));
    std::iter_swap(pods.begin(), std::ranges::min_element(pods, {}, load));
  }
  return pods;
}

void Forwarder::note(const PodName& pod, const base::Error& error) {
  auto& trouble = troubles_.try_emplace(pod, options_.backoff).first->second;
  trouble.until = surroundings_.clock.now() + trouble.backoff.next();
  trouble.error = error.within("pod " + pod.name);
}

// What is known of pods that have gone is of no more use.
base::Error Forwarder::explain() const {
  const auto candidates = surroundings_.pods.candidates();
  for (const auto& pod : candidates) {
    const auto trouble = troubles_.find(pod);
    if (trouble != troubles_.end()) return trouble->second.error;
  }
  return {Code::unavailable,
          fmt::format("no running proxy server in {} ({}): look at the hub's pods, and at whether "
                      "this agent may list them",
                      options_.whose, surroundings_.pods.describe())};
}

Task<ConnectionPool::Opened> Forwarder::open() {
  for (const auto& pod : in_order()) {
    auto opened = co_await pool_.open(pod, options_.port);
    if (opened) {
      troubles_.erase(pod);
      co_return opened;
    }
    note(pod, opened.error());
  }
  co_return fail(explain());
}

}  // namespace portforward
