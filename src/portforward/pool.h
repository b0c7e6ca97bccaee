#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "async/clock.h"
#include "async/task_group.h"
#include "portforward/dialer.h"
#include "portforward/spdy_connection.h"
#include "portforward/tunnel.h"

namespace portforward {

/// Keeps connections to pods and opens pairs of streams on them: one connection a pod as long as
/// that keeps up, another one when it is full or congested.
///
/// Flow: start(); open() any number of times; co_await stop(); destroy. Thread: that of the loop.
class ConnectionPool {
 private:
  struct Entry;

 public:
  struct Options {
    std::size_t tunnels_per_connection = 128;
    async::Duration idle_limit = std::chrono::seconds(60);  // a connection without tunnels ends
    async::Duration open_limit = std::chrono::seconds(30);  // for a pair of streams
    // The same where pairs have been opened before: then another connection is made, for this one
    // may lead nowhere.
    async::Duration reopen_limit = std::chrono::seconds(1);
    SpdyConnection::Options connection;
  };

  /// A pair of streams; keeps its connection.
  class Opened {
   public:
    Opened(std::shared_ptr<Entry> entry, StreamPair pair);
    Opened(Opened&&) noexcept = default;
    Opened& operator=(Opened&&) = delete;
    ~Opened();
    StreamPair& pair() { return pair_; }

   private:
    std::shared_ptr<Entry> entry_;
    StreamPair pair_;
  };

  /// `clock` and `dialer` outlive the pool.
  ConnectionPool(async::Executor executor, async::Clock& clock, Dialer& dialer, Options options);
  ~ConnectionPool();

  void start();
  async::Awaitable<void> stop();

  /// Callers that come while a connection is being made share it, and its failure.
  async::Task<Opened> open(PodName pod, std::uint16_t port);
  /// The pod has gone: its connections end, with their tunnels.
  void drop(const PodName& pod);

  std::size_t tunnels(const PodName& pod) const;
  std::size_t connections() const;

 private:
  struct Group;

  async::Task<std::shared_ptr<Entry>> connection(PodName pod);
  async::Task<std::shared_ptr<Entry>> connect(std::shared_ptr<Group> group, PodName pod);
  async::Task<void> serve(std::shared_ptr<Group> group, std::shared_ptr<Entry> entry,
                          std::string first_bytes);
  async::Task<Opened> open_on(std::shared_ptr<Entry> entry, std::uint16_t port,
                              async::Duration limit);
  async::Task<void> reap();
  std::shared_ptr<Entry> usable(const Group& group) const;
  std::shared_ptr<Group> group_of(const PodName& pod);

  async::Executor executor_;
  async::Clock& clock_;
  Dialer& dialer_;
  Options options_;
  std::map<PodName, std::shared_ptr<Group>> groups_;
  async::TaskGroup tasks_;
};

}  // namespace portforward
