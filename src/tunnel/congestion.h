#pragma once

#include <functional>
#include <list>
#include <string>

#include "async/clock.h"
#include "grpc/call.h"
#include "http/crowd.h"

namespace tunnel {

/// Where the bytes of one connection go when they leave a link: a socket or a client's stream.
class Sink {
 public:
  virtual ~Sink() = default;
  /// Bytes taken from the link that the reader has not taken yet.
  virtual std::size_t backlog() const = 0;
  /// Bytes that the reader has taken so far.
  virtual std::uint64_t taken() const = 0;
  /// The reader is too slow for all others: the connection must end now, for `reason`.
  virtual void on_overload(const std::string& reason) = 0;

 private:
  friend class Congestion;
  http::Crowd::Member place_;  // among those that the link delivers to
};

/// Decides what happens when a reader falls behind on a konnectivity stream, which has no flow
/// control of its connections: the bytes of all come in one order.
///
/// Flow: report what was delivered(); above the limit the link is held, so that the sender stops.
/// It goes on when the backlog has halved. tick() is called a few times a second while active().
/// Who says little beside the others is made known to the link's window.
///
/// Guarantees: the link is never held longer than kPatience by a reader that takes nothing (unless
/// nobody else waits for the link, as far as can be known), nor by one that takes less than
/// kProgress in that time while others wait: that connection, and no other, ends. A reader that
/// keeps taking loses no byte.
///
/// Thread: that of the loop.
class Congestion {
 public:
  static constexpr async::Duration kPatience = std::chrono::seconds(1);
  static constexpr async::Duration kTick = std::chrono::milliseconds(200);
  static constexpr std::size_t kProgress = 64 * 1024;
  static constexpr std::size_t kLimitWithoutBudget = 64 * 1024;

  struct Options {
    std::size_t connection_limit = 4 << 20;  // bytes
    /// Whether anybody but the congested connections uses or waits for the link.
    std::function<bool()> crowded;
    /// Requests of others cannot be seen while the link is held (the agent's end).
    bool blind = false;
  };

  /// All references must outlive the object.
  Congestion(grpc::Call& call, async::Clock& clock, const base::MemoryBudget& budget,
             Options options);

  /// `count` bytes of the link went to `sink`.
  void delivered(Sink& sink, std::size_t count);
  /// The reader took some.
  void drained(Sink& sink);
  void remove(Sink& sink);
  bool active() const { return !slow_.empty(); }
  std::size_t slow() const { return slow_.size(); }
  void tick();

 private:
  struct Slow {
    Sink* sink;
    async::TimePoint since;
    std::uint64_t taken;  // at `since`
  };
  std::size_t limit() const;
  std::list<Slow>::iterator find(const Sink& sink);
  bool must_end(Slow& slow, async::TimePoint now) const;
  void release();

  grpc::Call& call_;
  async::Clock& clock_;
  const base::MemoryBudget& budget_;
  Options options_;
  std::list<Slow> slow_;
  http::Crowd crowd_;
};

}  // namespace tunnel
