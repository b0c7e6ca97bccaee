#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "async/clock.h"
#include "async/event.h"
#include "net/resolver.h"
#include "net/socket_stream.h"

namespace net {

/// Decides what may be dialed. Errors have Code::forbidden and the reason. Thread: any.
class DialPolicy {
 public:
  virtual ~DialPolicy() = default;
  /// Of the target as it was asked for, before its name is resolved.
  virtual base::Result<void> check_target(const HostPort& target) const = 0;
  /// Of each address that `target` turned out to have: those that it refuses are left out.
  virtual base::Result<void> check_address(const HostPort& target,
                                           const boost::asio::ip::address& address) const = 0;
};

struct DialOptions {
  async::Duration limit{};  // for the whole, name resolution included
  Liveness liveness{};
  Family family = Family::any;         // the addresses of the other one are left out
  const DialPolicy* policy = nullptr;  // null: everything; outlives the dial
  // When no address has answered for so long, one is tried anew beside the attempts that wait; 0 =
  // never.
  async::Duration renew{};
};

/// Connects to "host:port", trying each address of the host: one attempt every 250 ms or at once
/// after a failure, the families alternating (RFC 8305), first success wins.
///
/// Flow: run() once; stop() meanwhile.
/// Texts of errors are Go's, which peers of konnectivity look for: "dial tcp 127.0.0.1:1: connect:
/// connection refused", "dial tcp: lookup NAME: no such host", "dial tcp 198.18.0.254:1: i/o
/// timeout". Cancelling the task ends it at once. `clock` outlives it. Thread: that of the loop.
class Dial {
 public:
  Dial(async::Executor executor, async::Clock& clock);
  ~Dial();
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  async::Task<Socket> run(std::string address, DialOptions options);
  /// Lets run() end at once with Code::cancelled.
  void stop();

 private:
  class Race;

  async::Task<Socket> race(Resolution::Endpoints endpoints, async::Duration renew);
  async::Task<void> wait(async::TimePoint then);

  async::Executor executor_;
  async::Clock& clock_;
  async::Event changed_;  // whatever a dial waits for
  async::TimePoint until_;
  bool stopped_ = false;
  bool resolved_ = false;
  std::string name_;  // what the text of a timeout names
  std::unique_ptr<Race> race_;
};

/// A Dial that only the end of its task stops, to a peer that comes back: a connection is made
/// within a second after that, where the system would ask ever more rarely.
async::Task<Socket> dial_tcp(async::Clock& clock, std::string address, async::Duration limit,
                             Liveness liveness, Family family = Family::any);

/// Connects to the Unix socket `path`.
async::Task<Socket> dial_unix(std::string path);

}  // namespace net
