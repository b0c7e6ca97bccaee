#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tunnel/native.h"
#include "tunnel/testing/native_fixture.h"
#include "tunnel/testing/test_client.h"

namespace tunnel::testing {

/// Server and agent joined by a native link.
class NativePair : public ::testing::Test {
 protected:
  NativeWorld::Link& connect(const std::string& id = "agent-1") {
    NativeWorld::Link& link = world.connect({id, "", ""});
    EXPECT_TRUE(world.until([&] { return link.agent.welcome.has_value(); }));
    return link;
  }
  std::unique_ptr<TestClient> client() {
    return std::make_unique<TestClient>(world.server.context);
  }
  // A client that is connected, and its target.
  struct Connection {
    std::unique_ptr<TestClient> client;
    Wire* target;
  };
  Connection establish() {
    if (address_.empty()) address_ = world.listen();
    Connection made{client(), nullptr};
    const std::size_t before = world.targets.size();
    EXPECT_TRUE(made.client->dial(address_));
    EXPECT_TRUE(
        world.until([&] { return made.client->dialed && world.targets.size() == before + 1; }));
    made.target = world.targets.back().get();
    return made;
  }
  // The link that the next dial will take.
  Backend* chosen() {
    return world.server.context.router.pick("127.0.0.1:1", world.server.clock.now());
  }
  // So many times the server pings, and nobody answers.
  void pass_intervals(int count) {
    for (int i = 0; i < count; ++i) world.advance(native::kPingInterval);
  }
  double open_at_agent() { return world.agent_metrics.open_endpoint_connections.value(); }
  bool all_gone_at_agent() {
    return world.until([this] { return open_at_agent() == 0; });
  }

  NativeWorld world;

 private:
  std::string address_;
};

}  // namespace tunnel::testing
