#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/clock.h"
#include "async/event.h"
#include "tunnel/client/dial.h"
#include "tunnel/client/entrance.h"

namespace tunnel::client {

/// Opens connections to services of clusters, through a frontend of a tunnel server: ours, or one
/// of konnectivity in any of its modes.
///
/// Where HTTP/2 is spoken all dials share one connection, which is made when it is needed and made
/// again after it was lost; over HTTP/1.1 each has its own. With Protocol::automatic the first dial
/// finds out what is spoken.
/// The streams keep what is kept by the frontend: halves of an end, except over konnectivity's gRPC
/// and where HTTP/1.1 was found out (see lingering_stream.h), and resets. A stream that nobody
/// reads holds up no other. Thread: that of the loop. The references outlive the dialer; tasks in
/// dial() end before it is destroyed; streams may outlive it, and then have failed.
class Dialer {
 public:
  struct Options {
    Protocol protocol = Protocol::automatic;
    async::Duration limit = std::chrono::seconds(30);  // for all of a dial
  };
  Dialer(async::Clock& clock, Entrance& entrance, Options options);
  Dialer(async::Clock& clock, Entrance& entrance) : Dialer(clock, entrance, Options()) {}
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  /// Connects to `target`, "host:port". The server chooses the agent by the host, or as its
  /// strategy says; the agent resolves it.
  async::Awaitable<DialResult> dial(std::string target);
  /// Lets connections to the server end after their last stream; returns when all have, or at the
  /// latest after `limit`.
  async::Task<void> finish(async::Duration limit);

  /// The frontend that is asked, for errors.
  const std::string& server() const { return entrance_.name(); }
  /// What was found out: `automatic` as long as nothing was.
  Protocol spoken() const { return spoken_; }

 private:
  struct Connecting;
  using LinkPtr = std::shared_ptr<Link>;
  struct Tried {
    const Link& link;
    Protocol spoken;  // as far as was known
    bool proven;      // the link was, before
  };

  async::Task<DialResult> attempts(std::string target);
  async::Awaitable<DialResult> attempt(LinkPtr link, Dial dial);
  bool goes_on(const DialError& error, const Tried& tried);
  void conclude(Protocol spoken);
  async::Task<LinkPtr> shared_link();
  async::Task<void> connect_first();
  async::Task<void> connect();
  async::Awaitable<DialResult> dial_alone(Dial dial);
  async::Task<void> all_ended();

  async::Clock& clock_;
  Entrance& entrance_;
  Options options_;
  Protocol spoken_;
  bool in_the_clear_ = false;  // nothing tells what is spoken but to try
  LinkPtr link_;
  std::vector<std::weak_ptr<Link>> links_;  // all there ever were and still may be
  std::unique_ptr<net::Stream> fresh_;      // of a server that speaks HTTP/1.1
  std::shared_ptr<Connecting> connecting_;
};

}  // namespace tunnel::client
