#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>

#include "async/clock.h"
#include "async/task_group.h"
#include "http/routes.h"
#include "net/listener.h"
#include "net/stream.h"

namespace http {

/// A small HTTP/1.1 server for health, metrics and administration: short answers, no streaming.
///
/// Flow: construct, start(), co_await stop(), destroy.
/// Guarantees: a request is answered or its connection is closed; no peer holds a connection for
/// longer than
///   `Limits::request_time` without a whole request. stop() lets answers that have begun end.
/// Assumptions: `clock` and what the handlers refer to outlive the server.
/// Thread: that of the loop.
class Server {
 public:
  struct Limits {
    std::size_t head_bytes = std::size_t{1} << 20;   // 431 beyond
    std::size_t body_bytes = std::size_t{64} << 10;  // 413 beyond; bodies are ignored
    async::Duration request_time =
        std::chrono::seconds(60);    // for a whole request, waiting for it included
    std::size_t connections = 1024;  // further ones are closed at once
  };

  Server(async::Loop& loop, async::Clock& clock, std::unique_ptr<net::Listener> listener,
         Routes routes, Limits limits);
  Server(async::Loop& loop, async::Clock& clock, std::unique_ptr<net::Listener> listener,
         Routes routes)
      : Server(loop, clock, std::move(listener), std::move(routes), Limits()) {}

  void start();
  /// Accepts no more, closes idle connections, waits up to `grace` for the answers under way, then
  /// closes all.
  async::Task<void> stop(async::Duration grace);

  std::uint16_t port() const { return listener_->port(); }
  std::string address() const { return listener_->address(); }

 private:
  struct Connection {
    std::unique_ptr<net::Stream> stream;
    bool busy = false;  // a request is being answered
  };
  using Place = std::list<Connection>::iterator;

  async::Task<void> accept_all();
  async::Task<void> serve(Place place);
  async::Task<void> serve_requests(Place place);
  async::Task<void> drained();

  async::Clock& clock_;
  std::unique_ptr<net::Listener> listener_;
  Routes routes_;
  Limits limits_;
  std::list<Connection> connections_;
  bool stopping_ = false;
  async::TaskGroup tasks_;
};

}  // namespace http
