#pragma once

#include <cstddef>

#include "async/clock.h"
#include "base/buffer.h"
#include "http/h2_session.h"
#include "net/dial.h"
#include "tunnel/agent_metrics.h"
#include "tunnel/stall_watch.h"

namespace tunnel {

/// What every part of one tunnel agent shares; it outlives them all. Thread: that of its loop.
struct AgentContext {
  async::Clock& clock;
  async::Executor executor;
  AgentMetrics& metrics;
  base::MemoryBudget& budget;
  StallWatch& stall_watch;
  const http::H2Session::WindowPolicy& windows;
  std::size_t connection_limit;  // bytes buffered for one connection
  bool access_log;
  const net::DialPolicy* destinations = nullptr;  // what may be dialed; null = everything
};

}  // namespace tunnel
