#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/clock.h"
#include "net/socket_stream.h"

namespace net {

/// A listening TCP or Unix socket.
class Listener {
 public:
  virtual ~Listener() = default;

  /// Waits for the next connection, whose socket will belong to the loop `onto`. Running out of
  /// descriptors is not an error: it waits until one is free again, and logs once that it does.
  virtual async::Task<Socket> accept(async::Executor onto) = 0;
  /// On the listener's own loop.
  virtual async::Task<Socket> accept() = 0;
  virtual void close() = 0;
  /// "127.0.0.1:8091", "unix:/run/x.sock": what it is bound to.
  virtual std::string address() const = 0;
  /// The TCP port it is bound to; 0 for a Unix socket.
  virtual std::uint16_t port() const = 0;
};

/// Binds `host`:`port`. An empty host means all interfaces, IPv6 and IPv4. Port 0 lets the system
/// choose.
base::Result<std::unique_ptr<Listener>> listen_tcp(async::Loop& loop, async::Clock& clock,
                                                   const std::string& host, std::uint16_t port);

/// Binds the Unix socket `path` with mode 0770 (the process user and group). With `replace`,
/// whatever is at that path is removed first. The file disappears with the Listener.
base::Result<std::unique_ptr<Listener>> listen_unix(async::Loop& loop, async::Clock& clock,
                                                    const std::string& path, bool replace);

}  // namespace net
