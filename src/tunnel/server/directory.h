#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "async/clock.h"
#include "async/task.h"
#include "tunnel/identifiers.h"

namespace tunnel {

class Backend;
struct ServerContext;

/// One link of an agent, as all loops know it. Its pointer belongs to its home loop alone; what is
/// atomic may be read anywhere.
struct LinkEntry {
  explicit LinkEntry(std::size_t loop) : home(loop) {}

  std::size_t home;            // the loop that the link lives on
  bool further = false;        // not the agent's first; as it was when it was announced
  Backend* backend = nullptr;  // null once the link has gone
  std::atomic<bool> draining{false};
  std::atomic<async::Duration::rep> owing_since{0};  // of the steady clock; 0 = owes nothing
  std::atomic<std::size_t> connections{0};
};

/// Tells the routers of all loops of the links of each: a link that lives elsewhere stands there as
/// a RemoteBackend. With one loop it does nothing.
///
/// Thread: announce() and withdraw() on the loop of the link; join() before any loop runs.
class Directory {
 public:
  /// The loop number `index` with its context, both of which outlive the directory.
  void join(std::size_t index, ServerContext& context);
  /// The link is there from now on.
  void announce(Backend& backend);
  void withdraw(Backend& backend);

 private:
  std::vector<ServerContext*> contexts_;
};

}  // namespace tunnel
