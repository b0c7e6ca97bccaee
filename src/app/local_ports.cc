#include "app/local_ports.h"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "net/address.h"

namespace app {

using async::Task;
using base::Result;
using tunnel::local::Outcome;

namespace {

/// One line for people about what failed; what went well is for who asked for more (-v).
void tell(const Outcome& outcome) {
  if (outcome.error && !outcome.error->is(base::Code::cancelled)) {
    const std::string target = outcome.target.empty() ? "" : " to " + outcome.target;
    fmt::print(stderr, "connection from {}{}: {}\n", outcome.client, target,
               outcome.error->message);
    return;
  }
  LOG_INFO("connection ended", {"client", outcome.client}, {"target", outcome.target},
           {"sent", outcome.sent}, {"received", outcome.received});
}

}  // namespace

LocalPorts::LocalPorts(Client& client, const Output& out)
    : client_(client),
      out_(out),
      context_{client.clock(), client.dialer(), tell},
      never_(client.loop().get_executor()) {}

Result<void> LocalPorts::open(const ListenAddress& address, tunnel::local::Port::Serve serve,
                              const Words& words) {
  auto listener = net::listen_tcp(client_.loop(), client_.clock(), address.host, address.port);
  if (!listener) return base::fail(std::move(listener).error());
  ports_.push_back(std::make_unique<tunnel::local::Port>(client_.loop(), *std::move(listener),
                                                         std::move(serve)));
  ports_.back()->start();
  return out_(fmt::format("{}{}{}\n", words.before, ports_.back()->address(), words.behind));
}

Task<int> LocalPorts::serve() {
  for (;;) CO_TRY_VOID(co_await never_.wait());
}

async::Awaitable<void> LocalPorts::stop() {
  for (const auto& port : ports_) co_await port->stop();
}

}  // namespace app
