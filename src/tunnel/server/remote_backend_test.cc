#include "tunnel/server/remote_backend.h"

#include <gtest/gtest.h>

#include "tunnel/server/testing/harness.h"
#include "tunnel/testing/test_client.h"

namespace tunnel {
namespace {

class RemoteBackendsTest : public ::testing::Test {
 protected:
  void announce() {
    const RemoteBackend::Origin origin{entry_, &server_.context, "agent-1", {}, {"agent-address"}};
    server_.context.remotes.add(std::make_unique<RemoteBackend>(server_.context, origin));
  }
  void withdraw() { server_.context.remotes.remove(*entry_); }
  Backend* chosen() { return server_.context.router.pick("10.0.0.1:80", server_.clock.now()); }

  testing::Harness server_;
  std::shared_ptr<LinkEntry> entry_ = std::make_shared<LinkEntry>(1);
};

TEST_F(RemoteBackendsTest, takes_back_a_link_that_was_silent) {
  announce();
  testing::TestClient client(server_.context);
  ASSERT_TRUE(client.dial("10.0.0.1:80"));
  withdraw();
  EXPECT_EQ(chosen(), nullptr);
  announce();
  Backend* const back = chosen();
  ASSERT_NE(back, nullptr);
  server_.run_tasks();
  EXPECT_TRUE(client.failure);  // the last leg from before
  EXPECT_EQ(chosen(), back);
  EXPECT_EQ(back->agent_id(), "agent-1");
}

}  // namespace
}  // namespace tunnel
