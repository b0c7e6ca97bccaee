#pragma once

#include <cstddef>
#include <string>

#include "async/clock.h"
#include "base/buffer.h"
#include "http/h2_session.h"
#include "tunnel/delay_line.h"
#include "tunnel/server/remote_backend.h"
#include "tunnel/server/router.h"
#include "tunnel/server_metrics.h"
#include "tunnel/stall_watch.h"

namespace tunnel {

/// What every part of one tunnel server shares. Owned by Server; thread: that of its loop.
struct ServerContext {
  async::Clock& clock;
  async::Executor executor;
  ServerMetrics& metrics;
  base::MemoryBudget& budget;
  Router& router;
  StallWatch& stall_watch;
  DelayLine* dial_deadlines;  // null = dials wait for ever
  DelayLine& greeting_delay;
  DelayLine& half_close_linger;  // how long a silent target may go on after its client's end
  DelayLine& close_linger;       // how long a target may take to end after its client
  DelayLine& departures;    // when it is looked whether a client is there whose bytes nobody takes
  DelayLine& late_answers;  // when an agent that has not answered a dial is asked for a sign
  const http::H2Session::WindowPolicy& windows;
  RemoteBackends& remotes;
  std::size_t loop_index;        // among those of the server
  std::size_t loops;             // of the server
  std::size_t connection_limit;  // bytes buffered for one connection
  bool access_log;
};

}  // namespace tunnel
