#include "tunnel/client/dial.h"

#include <fmt/format.h>

namespace tunnel::client {

async::Awaitable<DialError> lost(std::shared_ptr<Link> link, Dial dial) {
  const auto why = co_await link->ended();
  const std::string& reason = why ? why->message : why.error().message;
  co_return DialError(Failure::server_gone,
                      fmt::format("the connection to {} was lost: {}", dial.server, reason));
}

}  // namespace tunnel::client
