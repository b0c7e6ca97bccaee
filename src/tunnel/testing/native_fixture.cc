#include "tunnel/testing/native_fixture.h"

#include <utility>

namespace tunnel::testing {

using async::Task;
using base::Result;

NativeWorld::NativeWorld(std::size_t largest_window)
    : agent_windows{server.clock, agent_grown, static_cast<std::uint32_t>(largest_window)},
      agent{server.clock,  server.loop.get_executor(),
            agent_metrics, agent_budget,
            agent_stalls,  agent_windows,
            1 << 20,       false} {
  tasks.spawn("stall watch", agent_stalls.run());
}

NativeWorld::~NativeWorld() {
  for (const auto& link : links) {
    if (link->agent.link) link->agent.link->stop();
  }
  tasks.cancel();
  until([this] { return tasks.empty(); });
  for (const auto& link : links) {
    if (link->agent.link) link->agent.link->disconnect();
  }
  settle();
}

NativeWorld::Link& NativeWorld::connect(Introduction introduction) {
  Link& link = *links.emplace_back(std::make_unique<Link>(tasks.executor()));
  run_server_end(link);
  run_agent_end(link, std::move(introduction));
  return link;
}

NativeWorld::Link& NativeWorld::connect_server_only() {
  Link& link = *links.emplace_back(std::make_unique<Link>(tasks.executor()));
  run_server_end(link);
  return link;
}

NativeWorld::Link& NativeWorld::connect_agent_only(Introduction introduction) {
  Link& link = *links.emplace_back(std::make_unique<Link>(tasks.executor()));
  run_agent_end(link, std::move(introduction));
  return link;
}

void NativeWorld::run_server_end(Link& link) {
  link.server.backend =
      std::make_unique<NativeBackend>(server.context, server.admission, link.cable.first(),
                                      AgentPeer{"agent-address", agent_clusters});
  tasks.spawn("server end", serve(link.server));
}

void NativeWorld::run_agent_end(Link& link, Introduction introduction) {
  LinkProtocol::Listener& listener = link.agent;
  link.agent.link = std::make_unique<NativeLink>(agent, listener, std::move(introduction));
  tasks.spawn("agent end", serve(link.agent, link.cable.second()));
}

// As in the server, the link lives no longer than its run().
Task<void> NativeWorld::serve(ServerEnd& end) {
  auto result = co_await end.backend->run();
  end.ended = result ? base::Error{} : result.error();
  end.backend.reset();
  co_return Result<void>{};
}

Task<void> NativeWorld::serve(AgentEnd& end, std::unique_ptr<net::Stream> stream) {
  auto result = co_await end.link->run(std::move(stream));
  end.ended = result ? base::Error{} : result.error();
  co_return Result<void>{};
}

bool NativeWorld::until(const std::function<bool()>& done) {
  const async::SystemClock real;
  const async::TimePoint deadline = real.now() + std::chrono::seconds(20);
  settle();
  while (!done() && real.now() < deadline) {
    server.loop.restart();
    server.loop.run_for(std::chrono::milliseconds(1));
  }
  return done();
}

void NativeWorld::settle() {
  server.loop.restart();
  while (server.loop.poll() > 0) {
  }
}

void NativeWorld::idle_for(std::chrono::milliseconds real_time) {
  server.loop.restart();
  server.loop.run_for(real_time);
}

std::string NativeWorld::listen(std::uint16_t port) {
  auto listener = net::listen_tcp(server.loop, server.clock, "127.0.0.1", port);
  listeners.push_back(std::move(*listener));
  tasks.spawn("accept", accept_all(*listeners.back()));
  return listeners.back()->address();
}

Task<void> NativeWorld::accept_all(net::Listener& listener) {
  for (;;) {
    CO_TRY(auto socket, co_await listener.accept());
    targets.push_back(std::make_unique<Wire>(tasks, net::make_socket_stream(std::move(socket))));
  }
}

}  // namespace tunnel::testing
