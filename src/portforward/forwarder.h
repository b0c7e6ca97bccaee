#pragma once

#include <map>
#include <memory>
#include <string>

#include "async/backoff.h"
#include "async/task_group.h"
#include "net/listener.h"
#include "portforward/forwarder_metrics.h"
#include "portforward/pods.h"
#include "portforward/pool.h"

namespace portforward {

/// Leads each connection to a local port through the API server to the pod with the fewest
/// tunnels. A pod that fails is left alone for a while as long as there are others, which are tried
/// instead.
///
/// Flow: start(); co_await drain() if there is time; co_await stop(); destroy. Guarantees: a
/// connection that cannot be led on is reset at once, with the reason in the log. Thread: that of
/// the loop.
class Forwarder {
 public:
  struct Options {
    std::uint16_t port = 8091;  // of the pods
    std::string whose;          // for errors: "namespace n, label a=b"
    async::Backoff::Options backoff{.initial = std::chrono::seconds(1),
                                    .cap = std::chrono::seconds(30),
                                    .factor = 2,
                                    .jitter = 0.2};
    bool access_log = true;
    ConnectionPool::Options pool;
  };
  struct Surroundings {
    async::Loop& loop;
    async::Clock& clock;
    Pods& pods;
    Dialer& dialer;
    ForwarderMetrics& metrics;
  };
  /// The surroundings outlive the forwarder.
  Forwarder(const Surroundings& surroundings, std::unique_ptr<net::Listener> listener,
            Options options);

  void start();
  /// Takes no more connections; returns when those that are there have ended.
  async::Task<void> drain();
  async::Awaitable<void> stop();

  bool draining() const { return draining_; }
  std::size_t serving() const { return serving_; }
  /// A tunnel has been opened since the start.
  bool ready() const { return ready_; }
  /// Why the last tunnel could not be opened, or "".
  const std::string& last_failure() const { return last_failure_; }
  std::uint16_t port() const { return listener_->port(); }
  ConnectionPool& pool() { return pool_; }

 private:
  /// A pod that failed.
  struct Trouble {
    explicit Trouble(const async::Backoff::Options& options) : backoff(options) {}
    async::Backoff backoff;
    async::TimePoint until;
    base::Error error;
  };

  async::Task<void> accept();
  async::Task<void> serve(std::unique_ptr<net::Stream> local);
  async::Task<void> lead_on(std::unique_ptr<net::Stream> local);
  async::Task<ConnectionPool::Opened> open();
  async::Task<void> carry(net::Stream& local, ConnectionPool::Opened opened);
  std::vector<PodName> in_order();
  void note(const PodName& pod, const base::Error& error);
  base::Error explain() const;

  Surroundings surroundings_;
  std::unique_ptr<net::Listener> listener_;
  Options options_;
  ConnectionPool pool_;
  std::map<PodName, Trouble> troubles_;
  std::size_t turn_ = 0;
  bool ready_ = false;
  bool draining_ = false;
  std::size_t serving_ = 0;  // local connections
  async::Event served_;      // one has ended
  std::string last_failure_;
  async::TaskGroup tasks_;
};

}  // namespace portforward
