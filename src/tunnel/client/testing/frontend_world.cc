#include "tunnel/client/testing/frontend_world.h"

#include <utility>

#include <gtest/gtest.h>

#include "base/check.h"
#include "tunnel/server/agent_service.h"
#include "tunnel/server/connect_frontend.h"
#include "tunnel/server/connect_request.h"
#include "tunnel/server/stream_frontend.h"

namespace tunnel::client::testing {

using async::Task;
using base::Result;
using tunnel::testing::H2Peer;
using tunnel::testing::H2PeerStream;
using tunnel::testing::Wire;

FrontendWorld::FrontendWorld(Frontend kind)
    : alpn(kind == Frontend::http1 ? "http/1.1" : "h2"), kind_(kind) {
  auto& link = world.connect_server_only();
  agent_ =
      std::make_unique<H2Peer>(world.tasks, link.cable.second(),
                               http::H2Session::Options{.role = http::H2Session::Role::server});
  EXPECT_TRUE(world.until([this] { return agent_->requests().size() == 1; }));
  agent_->requests()[0]->stream->respond({{":status", "200"}, {"agent-id", "agent"}});
  world.settle();
}

FrontendWorld::~FrontendWorld() {
  world.tasks.cancel();
  world.settle();
  results_.clear();
  world.wires.clear();
}

void FrontendWorld::dial(Dialer& dialer, const std::string& target) {
  auto& result = *results_.emplace_back(std::make_unique<std::optional<DialResult>>());
  world.tasks.spawn("dial", keep(dialer, target, result));
  world.settle();
}

Task<void> FrontendWorld::keep(Dialer& dialer, std::string target,
                               std::optional<DialResult>& result) {
  result = co_await dialer.dial(std::move(target));
  co_return Result<void>{};
}

bool FrontendWorld::settled(std::size_t index) {
  return world.until([&] { return results_[index]->has_value(); });
}

DialResult& FrontendWorld::result(std::size_t index) {
  EXPECT_TRUE(settled(index));
  return **results_[index];
}

H2PeerStream& FrontendWorld::target(std::size_t index) {
  CHECK(world.until([&] { return agent_->requests().size() > index + 1; }));
  return *agent_->requests()[index + 1];
}

Wire& FrontendWorld::establish(Dialer& dialer, const std::string& where) {
  const std::size_t index = results_.size();
  const std::size_t asked = agent_->requests().size() - 1;
  dial(dialer, where);
  target(asked).stream->respond({{":status", "200"}});
  EXPECT_TRUE(result(index).has_value());
  // What a target says first goes to clients of konnectivity after a moment.
  world.advance(std::chrono::milliseconds(30));
  world.wires.push_back(std::make_unique<Wire>(world.tasks, *std::move(result(index))));
  return *world.wires.back();
}

void FrontendWorld::lose_agent() {
  agent_->hang_up();
  EXPECT_TRUE(world.until([this] { return world.links[0]->server.ended.has_value(); }));
}

Task<Entrance::Connection> FrontendWorld::connect() {
  if (unreachable) co_return base::fail(*unreachable);
  if (hangs) CO_TRY_VOID(co_await world.server.clock.sleep_for(std::chrono::hours(1)));
  auto& cable =
      *cables_.emplace_back(std::make_unique<net::testing::Cable>(world.tasks.executor()));
  if (stranger) {
    world.wires.push_back(std::make_unique<Wire>(world.tasks, cable.second()));
    world.wires.back()->say(*stranger);
  } else {
    world.tasks.spawn("frontend", serve(*this, cable.second()));
  }
  co_return Connection{cable.first(), alpn, !alpn.empty()};
}

Task<void> FrontendWorld::serve(FrontendWorld& self, std::unique_ptr<net::Stream> stream) {
  if (self.kind_ == Frontend::http1) co_return co_await serve_http1(self, std::move(stream));
  ServerContext& context = self.world.server.context;
  std::unique_ptr<http::H2Connection::Handler> handler;
  if (self.kind_ == Frontend::grpc) {
    handler = std::make_unique<ClientConnection>(context, Client{"client"});
  } else {
    handler = std::make_unique<ConnectStreams>(context, Client{"client"});
  }
  http::H2Connection connection(self.world.tasks.executor(), std::move(stream),
                                {.role = http::H2Session::Role::server}, *handler);
  co_return co_await connection.run();
}

Task<void> FrontendWorld::serve_http1(FrontendWorld& self, std::unique_ptr<net::Stream> stream) {
  ServerContext& context = self.world.server.context;
  CO_TRY(auto request, co_await read_connect_request(*stream, "", context.clock));
  ConnectFrontend frontend(context, std::move(stream), Client{"client"}, std::move(request));
  co_return co_await frontend.run();
}

}  // namespace tunnel::client::testing
