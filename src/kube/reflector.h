#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "async/task_group.h"
#include "kube/client.h"
#include "kube/list.h"
#include "kube/request.h"
#include "kube/watch_decoder.h"
#include "kube/watch_state.h"

namespace kube {

/// Where a Reflector brings the state of the world, and then its changes. Each call is complete
/// when it returns.
class WatchHandler {
 public:
  virtual ~WatchHandler() = default;
  /// This is all there is: what was known before and is not among it has gone.
  virtual void replace(std::vector<json::object> objects) = 0;
  /// Added or changed.
  virtual void apply(json::object object) = 0;
  virtual void remove(const json::object& object) = 0;
};

/// Hears of every list and watch request: for metrics. `error` is null on success; `took` is the
/// time to the answer. A state that came by a watch counts as listed when it is complete.
class WatchObserver {
 public:
  virtual ~WatchObserver() = default;
  virtual void listed(const Error* error, async::Duration took) = 0;
  virtual void watched(const Error* error, async::Duration took) = 0;
};

/// Keeps a WatchHandler up to date with the objects of an Api, by list and watch, or by a watch
/// that begins with the state where the server has that.
///
/// Guarantees: replace() comes first, again after the history was lost (410), and again when the
///   client has come to another configuration; between two of them every change comes once and in
///   the server's order. A failure of any kind is waited out and never ends it; the last state
///   stays.
/// Caveats: what was seen may be older than one's own writes.
/// Thread: that of the loop. `client`, `handler` and `observer` outlive it.
class Reflector {
 public:
  struct Options {
    std::string label_selector;
    std::string field_selector;
    // The server ends a watch after a random time between these, so that many clients spread.
    std::chrono::seconds min_watch{300};
    std::chrono::seconds max_watch{600};
    // A watch that the server has not ended this long after it was due is taken for half-dead.
    std::chrono::seconds overdue_margin{30};
    unsigned page = 500;
    // Ask for the state by a watch first, but for one of at most `small` objects (0: whatever its
    // size). A server that refuses is listed; so is one that does not say where the state ends,
    // once it has said nothing for `state_limit`.
    bool stream_state = true;
    unsigned small = 100;
    std::chrono::seconds state_limit{30};
    async::Backoff::Options backoff{.initial = std::chrono::milliseconds(800),
                                    .cap = std::chrono::seconds(30),
                                    .factor = 2,
                                    .jitter = 1.0};
  };
  Reflector(Client& client, Api api, WatchHandler& handler, WatchObserver* observer,
            Options options);

  /// Never returns but when cancelled. Spawn it.
  async::Task<void> run();
  /// True once the first list has come.
  bool synced() const { return synced_; }

 private:
  class Events;
  Task<void> step_until_replaced();
  Task<void> take_step();
  Task<void> list();
  Task<void> stream();
  Task<bool> list_if_small();
  Task<bool> receive_state(Events& events);
  void complete(std::string_view version, std::map<std::string, json::object> objects);
  Task<void> watch();
  Task<void> follow(Events events, async::TimePoint began);
  Task<Events> open(bool with_state);
  void take(WatchEvent event);
  void report_list(const Error* error, async::Duration took);

  Client& client_;
  Api api_;
  WatchHandler& handler_;
  WatchObserver* observer_;
  Options options_;
  WatchState state_;
  bool synced_ = false;
};

}  // namespace kube
