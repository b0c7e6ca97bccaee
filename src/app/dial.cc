#include <poll.h>
#include <unistd.h>
#include <utility>

#include "app/client.h"
#include "app/client_commands.h"
#include "net/pipe_stream.h"
#include "tunnel/client/join.h"

namespace app {
namespace {

using async::Task;
using base::Result;

/// As with other programs in a pipe: nobody has to be told.
bool reader_has_gone() {
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return ::poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

Task<int> dial(Client& client, std::string target) {
  auto dialed = co_await client.dialer().dial(target);
  if (!dialed) co_return base::fail(with_advice(dialed.error()));
  CO_TRY(auto own,
         net::make_pipe_stream(client.loop().get_executor(), STDIN_FILENO, STDOUT_FILENO));
  tunnel::client::Join join(*own, **dialed);
  auto joined = co_await join.run();
  if (joined) co_return 0;
  if (reader_has_gone()) co_return 1;
  co_return base::fail(std::move(joined).error().within(target));
}

}  // namespace

Result<int> run_dial(const ClientConfig& config, const std::string& target) {
  TRY(const auto client, Client::make(config));
  return client->run([&](Client& made) { return dial(made, target); });
}

}  // namespace app
