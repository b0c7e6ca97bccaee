#pragma once

#include <functional>
#include <memory>
#include <string>

#include "async/task_group.h"
#include "net/listener.h"
#include "tunnel/client/dialer.h"
#include "tunnel/local/socks5.h"

/// Ports on this machine that lead into the tunnel.
namespace tunnel::local {

/// What became of one connection to a local port.
struct Outcome {
  std::string client;                // who connected
  std::string target;                // what was asked for; "" when it came to no question
  std::optional<base::Error> error;  // why it failed or broke
  std::uint64_t sent = 0;            // bytes to the target
  std::uint64_t received = 0;        // bytes from it
};

/// What all local ports share. The references outlive them. Thread: that of the loop.
struct Context {
  async::Clock& clock;
  client::Dialer& dialer;
  std::function<void(const Outcome&)> tell;  // once a connection has ended
};

/// Accepts connections and serves each in a task of its own.
///
/// Flow: construct; start(); co_await stop(); destroy.
class Port {
 public:
  using Serve = std::function<async::Task<void>(std::unique_ptr<net::Stream>)>;
  Port(async::Loop& loop, std::unique_ptr<net::Listener> listener, Serve serve);

  void start();
  async::Awaitable<void> stop();
  /// What it is bound to.
  std::string address() const { return listener_->address(); }

 private:
  async::Task<void> accept();

  std::unique_ptr<net::Listener> listener_;
  Serve serve_;
  async::TaskGroup tasks_;
};

/// What a port does with each connection: leads it to one target;
Port::Serve forward_to(const Context& context, std::string target);
/// to where the client asks for by SOCKS5 (RFC 1928), names being left to the far end;
Port::Serve socks5_proxy(const Context& context, Credentials credentials);
/// to where it asks for as from an HTTP proxy (RFC 9110): CONNECT, or an absolute http URL. Of the
/// latter each connection carries one.
Port::Serve http_proxy(const Context& context, Credentials credentials);

}  // namespace tunnel::local
