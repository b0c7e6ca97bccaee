#include "tunnel/client/connect_end.h"

#include <gtest/gtest.h>

#include "tunnel/client/dialer.h"
#include "tunnel/testing/h2_peer.h"
#include "tunnel/testing/native_fixture.h"

namespace tunnel::client {
namespace {

using async::Task;
using tunnel::testing::H2Peer;
using tunnel::testing::NativeWorld;

Task<void> dial_on(std::shared_ptr<Link> link, Dial dial, std::optional<DialResult>& result) {
  result = co_await dial_connect(std::move(link), std::move(dial));
  co_return base::Result<void>{};
}

// An HTTP/2 proxy of somebody else: the test answers in its place.
class ConnectEndTest : public ::testing::Test, public Entrance {
 protected:
  ~ConnectEndTest() override {
    world.tasks.cancel();
    world.settle();
    result_.reset();
  }
  // What the dialer makes of an answer to its dial.
  DialError refused(const http::Headers& answer) {
    world.tasks.spawn("dial", dial(*this));
    EXPECT_TRUE(world.until([this] { return proxy_ && proxy_->requests().size() == 1; }));
    proxy_->requests()[0]->stream->respond_and_end(answer);
    EXPECT_TRUE(world.until([this] { return result_.has_value(); }));
    return result_->has_value() ? DialError(Failure::other, "dialed") : result_->error();
  }

  NativeWorld world;

 private:
  Task<Connection> connect() override {
    proxy_ =
        std::make_unique<H2Peer>(world.tasks, cable_.second(),
                                 http::H2Session::Options{.role = http::H2Session::Role::server});
    co_return Connection{cable_.first(), "h2", true};
  }
  const std::string& name() const override { return name_; }
  static Task<void> dial(ConnectEndTest& self) {
    self.result_ = co_await self.dialer_.dial("cluster1:80");
    co_return base::Result<void>{};
  }

  std::string name_ = "hub:8090";
  net::testing::Cable cable_{world.tasks.executor()};
  std::unique_ptr<H2Peer> proxy_;
  Dialer dialer_{world.server.clock, *this};
  std::optional<DialResult> result_;
};

TEST_F(ConnectEndTest, knows_a_refusal_by_proxy_status_where_nothing_else_tells) {
  const DialError error =
      refused({{":status", "502"}, {"proxy-status", "edge; error=dns_error; details=\"gone\""}});
  EXPECT_EQ(error.kind, Failure::not_resolved);
  EXPECT_EQ(error.message, "cannot connect to cluster1:80: gone");
}

TEST_F(ConnectEndTest, prefers_the_type_to_the_words) {
  const DialError error = refused(
      {{":status", "500"},
       {"proxy-status", "edge; error=destination_not_found; details=\"connection refused\""}});
  EXPECT_EQ(error.kind, Failure::no_agent);
}

// The first dial has met something that does not speak HTTP/2, but nobody has noticed yet when the
// second opens its stream.
TEST(ConnectEndOnABrokenLink, is_lost_like_the_link) {
  NativeWorld world;
  constexpr std::size_t kNarrow = 16;  // bytes: the writer waits
  net::testing::Cable cable(world.tasks.executor(), kNarrow);
  const auto link = Link::start(world.tasks.executor(), world.server.clock, cable.first());
  world.wires.push_back(std::make_unique<tunnel::testing::Wire>(world.tasks, cable.second()));
  auto& stranger = *world.wires.back();
  stranger.read(false);
  world.settle();
  stranger.say("HTTP/1.1 400 Bad Request\r\n\r\n");
  world.settle();
  std::optional<DialResult> result;
  const Dial dial{world.tasks.executor(), world.server.clock, "cluster1:80", "hub:8090"};
  world.tasks.spawn("dial", dial_on(link, dial, result));
  world.settle();
  stranger.read(true);
  EXPECT_TRUE(world.until([&] { return result.has_value(); }));
  EXPECT_EQ(result->error().kind, Failure::server_gone);
  world.tasks.cancel();
  world.settle();
}

TEST_F(ConnectEndTest, is_content_with_a_status) {
  EXPECT_EQ(refused({{":status", "504"}}).kind, Failure::timed_out);
}

}  // namespace
}  // namespace tunnel::client
