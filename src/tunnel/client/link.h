#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/clock.h"
#include "async/event.h"
#include "async/task_group.h"
#include "http/h2_connection.h"

namespace tunnel::client {

/// One HTTP/2 connection to a frontend, shared by dials: each is a stream of it.
///
/// It lives by itself until it is lost or, after retire(), its last stream has ended. Streams may
/// outlive it, and then have failed. Thread: that of the loop. The clock outlives it.
class Link : public std::enable_shared_from_this<Link>, private http::H2Connection::Handler {
 public:
  enum class Spoken { connect, grpc };

  /// A peer that speaks gRPC is not pinged, since Go's servers end the connections of those who
  /// ping often: there the kernel finds out that it has gone.
  static std::shared_ptr<Link> start(async::Executor executor, async::Clock& clock,
                                     std::unique_ptr<net::Stream> stream);
  ~Link() override;

  http::H2Session& session() { return connection_.session(); }
  /// Whether new streams make sense.
  bool accepting() const { return accepting_; }
  /// Whether it is over, though that may not be known everywhere yet.
  bool broken() { return over_ || connection_.session().finished(); }
  /// Whether the peer has ever answered a dial.
  bool proven() const { return proven_; }
  void prove(Spoken spoken);
  /// Returns when the peer has stayed silent for four seconds, an answer to a ping included: the
  /// link takes no more streams then, while those that it has may live on. For a dial that waits:
  /// who asks was asleep, or the way was lost. Of a peer that is not pinged never.
  async::Awaitable<void> silence();
  /// Takes no more streams; the connection ends after the last of them.
  void retire();
  /// Ends it at once.
  void close();
  /// Returns once it has ended, with the reason.
  async::Task<base::Error> ended();

 private:
  Link(async::Executor executor, async::Clock& clock, std::unique_ptr<net::Stream> stream);
  static async::Task<void> serve(std::shared_ptr<Link> self);
  async::Task<void> watch();
  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream&,
                                                    const http::Headers&) override {
    return nullptr;
  }
  void on_goaway(std::uint32_t) override { accepting_ = false; }

  async::Executor executor_;
  async::Clock& clock_;
  base::MemoryBudget budget_;
  base::MemoryBudget grown_;
  http::H2Session::WindowPolicy windows_;
  bool accepting_ = true;
  bool proven_ = false;
  bool pinged_ = false;
  async::TimePoint asked_{};  // when silence() has pinged last
  std::optional<base::Error> over_;
  async::Event changed_;
  http::H2Connection connection_;
  async::TaskGroup tasks_;
};

}  // namespace tunnel::client
