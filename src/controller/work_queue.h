#pragma once

#include <deque>
#include <map>
#include <set>

#include "async/clock.h"
#include "async/event.h"
#include "async/task.h"
#include "controller/object_key.h"

namespace controller {

/// The keys that wait to be looked at.
///
/// Guarantees: a key that is added twice before it is taken is taken once; one that is added while
/// it is worked on is taken again after done(); never are two at work on one key. Thread: that of
/// the loop.
class WorkQueue {
 public:
  struct Options {
    // After each failure in a row the pause doubles, as client-go counts it.
    async::Duration first_pause = std::chrono::milliseconds(5);
    async::Duration longest_pause = std::chrono::seconds(60);
  };
  WorkQueue(async::Loop& loop, async::Clock& clock, Options options);
  WorkQueue(async::Loop& loop, async::Clock& clock) : WorkQueue(loop, clock, Options()) {}

  void add(ObjectKey key);
  /// When `pause` is over; at the earlier time when the key waits already.
  void add_after(ObjectKey key, async::Duration pause);
  /// After a pause that grows with each failure since the last forget(), and is returned.
  async::Duration add_failed(const ObjectKey& key);
  void forget(const ObjectKey& key) { failures_.erase(key); }

  /// The next key, once there is one. Call done() with it.
  async::Task<ObjectKey> next();
  void done(const ObjectKey& key);

  std::size_t waiting() const { return ready_.size(); }
  /// Nothing is ready, at work or due later.
  bool idle() const { return ready_.empty() && at_work_.empty() && later_.empty(); }

 private:
  void take_due();

  async::Clock& clock_;
  Options options_;
  std::deque<ObjectKey> ready_;
  std::set<ObjectKey> dirty_;  // in ready_, or added while at work
  std::set<ObjectKey> at_work_;
  std::map<ObjectKey, async::TimePoint> later_;
  std::map<ObjectKey, unsigned> failures_;
  async::Event changed_;
};

}  // namespace controller
