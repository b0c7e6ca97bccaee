#pragma once

#include <memory>
#include <string>

#include "async/clock.h"
#include "tunnel/client/failure.h"
#include "tunnel/client/link.h"

namespace tunnel::client {

/// What a dial over any kind of frontend needs to know.
struct Dial {
  async::Executor executor;
  async::Clock& clock;
  std::string target;  // "host:port"
  std::string server;  // for errors and peer()

  std::string peer() const { return target + " through " + server; }
};

/// The error of a dial whose connection to the server was lost.
async::Awaitable<DialError> lost(std::shared_ptr<Link> link, Dial dial);

}  // namespace tunnel::client
