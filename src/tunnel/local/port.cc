#include "tunnel/local/port.h"

#include <utility>

#include "net/socket_stream.h"

namespace tunnel::local {

using async::Task;

Port::Port(async::Loop& loop, std::unique_ptr<net::Listener> listener, Serve serve)
    : listener_(std::move(listener)), serve_(std::move(serve)), tasks_(loop.get_executor()) {}

void Port::start() { tasks_.spawn("accept", accept()); }

async::Awaitable<void> Port::stop() {
  listener_->close();
  tasks_.cancel();
  co_await tasks_.join();
}

Task<void> Port::accept() {
  for (;;) {
    CO_TRY(auto socket, co_await listener_->accept());
    net::tune(socket, {});
    tasks_.spawn("local connection", serve_(net::make_socket_stream(std::move(socket))));
  }
}

}  // namespace tunnel::local
