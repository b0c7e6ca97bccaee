#include "portforward/forwarder.h"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/dial.h"
#include "net/testing/memory_stream.h"
#include "portforward/next_block.h"
#include "portforward/testing/fake_pod.h"
#include "portforward/testing/loop_test.h"

namespace portforward {
namespace {

namespace json = kube::json;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

json::object pod(const std::string& name, const std::string& phase = "Running", bool ready = true,
                 bool deleting = false) {
  json::object metadata{{"name", name}, {"namespace", "proxies"}};
  if (deleting) metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  const json::object condition{{"type", "Ready"}, {"status", ready ? "True" : "False"}};
  return {{"metadata", metadata},
          {"status", {{"phase", phase}, {"conditions", json::array{condition}}}}};
}

/// Gives connections to fake pods, which the test sees.
class FakeDialer : public Dialer {
 public:
  explicit FakeDialer(async::Executor executor) : executor_(executor) {}

  async::Task<http::UpgradedConnection> dial(PodName name) override {
    dialled.push_back(name.name);
    if (failing.contains(name.name)) co_return base::fail(base::Code::not_found, "no such pod");
    net::testing::Cable cable(executor_);
    pods.push_back(std::make_unique<testing::FakePod>(executor_, cable.second()));
    pods.back()->echoes = true;
    pods.back()->refuses_with = refusal;
    co_return http::UpgradedConnection{cable.first(), ""};
  }

  std::vector<std::string> dialled;
  std::set<std::string> failing;
  std::string refusal;
  std::vector<std::unique_ptr<testing::FakePod>> pods;

 private:
  async::Executor executor_;
};

class ForwarderTest : public testing::LoopTest {
 protected:
  ForwarderTest()
      : forwarder_({loop_, clock_, pods_, dialer_, metrics_},
                   *net::listen_tcp(loop_, system_, "127.0.0.1", 0),
                   {.port = 8091, .whose = "namespace proxies with a=b"}) {
    forwarder_.start();
  }
  ~ForwarderTest() override {
    bool stopped = false;
    tasks_.spawn("stop", stop(forwarder_, stopped));
    EXPECT_TRUE(eventually([&] { return stopped; }));
  }
  static async::Task<void> stop(Forwarder& forwarder, bool& stopped) {
    co_await forwarder.stop();
    stopped = true;
    co_return base::Result<void>{};
  }

  static async::Task<void> drain(Forwarder& forwarder, bool& drained) {
    CO_TRY_VOID(co_await forwarder.drain());
    drained = true;
    co_return base::Result<void>{};
  }

  std::unique_ptr<net::Stream> connect() {
    auto socket = finish(dial(system_, forwarder_.port()));
    EXPECT_TRUE(socket) << socket.error().message;
    return std::move(*socket);
  }
  static async::Task<std::unique_ptr<net::Stream>> dial(async::Clock& clock, std::uint16_t port) {
    CO_TRY(auto socket, co_await net::dial_tcp(clock, fmt::format("127.0.0.1:{}", port),
                                               std::chrono::seconds(10), {}));
    co_return net::make_socket_stream(std::move(socket));
  }
  std::string read(net::Stream& stream) {
    net::BlockReader reader(stream);
    auto block = finish(next_block(reader));
    return block ? std::string(base::as_text(block->bytes())) : "error: " + block.error().message;
  }
  std::string exchange(net::Stream& stream, std::string_view text) {
    EXPECT_TRUE(finish(stream.write_all(base::as_bytes(text))));
    return read(stream);
  }

  Pods pods_;
  FakeDialer dialer_{loop_.get_executor()};
  metrics::Registry registry_;
  ForwarderMetrics metrics_{registry_};
  Forwarder forwarder_;
  const std::uint16_t forwarder_port_ = forwarder_.port();
};

TEST_F(ForwarderTest, leads_bytes_and_both_ends_through) {
  pods_.apply(pod("one"));
  const auto local = connect();
  EXPECT_EQ(exchange(*local, "hello"), "hello");
  EXPECT_TRUE(forwarder_.ready());
  ASSERT_TRUE(finish(local->shutdown_write()));
  EXPECT_EQ(read(*local), "");
  EXPECT_TRUE(eventually([&] { return metrics_.tunnels.value() == 0; }));
  EXPECT_EQ(metrics_.bytes_up.value(), 5);
  EXPECT_EQ(metrics_.bytes_down.value(), 5);
  EXPECT_EQ(metrics_.broken.value(), 0);
}

TEST_F(ForwarderTest, shares_one_connection_a_pod) {
  pods_.apply(pod("one"));
  std::vector<std::unique_ptr<net::Stream>> locals;
  for (int i = 0; i < 20; ++i) locals.push_back(connect());
  for (auto& local : locals) EXPECT_EQ(exchange(*local, "x"), "x");
  EXPECT_THAT(dialer_.dialled, ElementsAre("one"));
}

TEST_F(ForwarderTest, spreads_tunnels_over_pods) {
  pods_.replace({pod("one"), pod("two")});
  const auto first = connect();
  EXPECT_EQ(exchange(*first, "a"), "a");
  const auto second = connect();
  EXPECT_EQ(exchange(*second, "b"), "b");
  EXPECT_EQ(forwarder_.pool().tunnels({"proxies", "one"}), 1U);
  EXPECT_EQ(forwarder_.pool().tunnels({"proxies", "two"}), 1U);
}

TEST_F(ForwarderTest, takes_the_next_pod_when_one_fails_and_leaves_that_alone) {
  pods_.replace({pod("one"), pod("two")});
  dialer_.failing = {"one"};
  for (int i = 0; i < 3; ++i) {
    const auto local = connect();
    EXPECT_EQ(exchange(*local, "x"), "x");
  }
  EXPECT_LE(std::ranges::count(dialer_.dialled, "one"), 1);
}

TEST_F(ForwarderTest, resets_who_cannot_be_led_on_and_says_why) {
  const auto local = connect();
  EXPECT_THAT(read(*local), HasSubstr("error"));
  EXPECT_THAT(forwarder_.last_failure(),
              HasSubstr("no running proxy server in namespace proxies with a=b"));
  EXPECT_THAT(forwarder_.last_failure(), HasSubstr("there is no pod"));
  EXPECT_FALSE(forwarder_.ready());
  pods_.apply(pod("one"));
  dialer_.failing = {"one"};
  const auto other = connect();
  EXPECT_THAT(read(*other), HasSubstr("error"));
  EXPECT_THAT(forwarder_.last_failure(), HasSubstr("pod one: no such pod"));
}

TEST_F(ForwarderTest, passes_on_that_the_far_end_failed) {
  pods_.apply(pod("one"));
  dialer_.refusal = "error forwarding port 8091 to pod one: connection refused";
  const auto local = connect();
  EXPECT_THAT(read(*local), HasSubstr("error"));
  EXPECT_TRUE(eventually([&] { return metrics_.broken.value() == 1; }));
}

TEST_F(ForwarderTest, ends_the_tunnels_of_a_pod_that_has_gone) {
  pods_.apply(pod("one"));
  const auto local = connect();
  EXPECT_EQ(exchange(*local, "x"), "x");
  pods_.remove(pod("one"));
  EXPECT_THAT(read(*local), HasSubstr("error"));
  pods_.apply(pod("two"));
  const auto next = connect();
  EXPECT_EQ(exchange(*next, "y"), "y");
}

TEST_F(ForwarderTest, makes_a_new_connection_when_the_old_one_broke) {
  pods_.apply(pod("one"));
  const auto local = connect();
  EXPECT_EQ(exchange(*local, "x"), "x");
  dialer_.pods.front()->close();
  EXPECT_THAT(read(*local), HasSubstr("error"));
  const auto next = connect();
  EXPECT_EQ(exchange(*next, "y"), "y");
  EXPECT_THAT(dialer_.dialled, ElementsAre("one", "one"));
}

TEST_F(ForwarderTest, makes_a_new_connection_beside_one_that_has_fallen_silent) {
  pods_.apply(pod("one"));
  const auto local = connect();
  EXPECT_EQ(exchange(*local, "x"), "x");
  auto& silent = *dialer_.pods.front();
  silent.replies = false;
  const auto next = connect();
  EXPECT_EQ(exchange(*next, "y"), "y");
  EXPECT_THAT(dialer_.dialled, ElementsAre("one", "one"));
  EXPECT_EQ(exchange(*local, "still"), "still");
}

TEST_F(ForwarderTest, tries_the_only_pod_whenever_somebody_asks) {
  pods_.apply(pod("one"));
  dialer_.failing = {"one"};
  for (int i = 0; i < 3; ++i) EXPECT_THAT(read(*connect()), HasSubstr("error"));
  dialer_.failing.clear();
  const auto local = connect();
  EXPECT_EQ(exchange(*local, "x"), "x");
  EXPECT_EQ(dialer_.dialled.size(), 4U);
}

TEST_F(ForwarderTest, drains_until_those_who_are_connected_have_ended) {
  pods_.apply(pod("one"));
  auto local = connect();
  EXPECT_EQ(exchange(*local, "x"), "x");
  bool drained = false;
  tasks_.spawn("drain", drain(forwarder_, drained));
  ASSERT_TRUE(eventually([&] { return forwarder_.draining(); }));
  EXPECT_EQ(exchange(*local, "still"), "still");
  EXPECT_FALSE(finish(dial(system_, forwarder_port_)));
  EXPECT_FALSE(drained);
  local.reset();
  EXPECT_TRUE(eventually([&] { return drained; }));
}

TEST_F(ForwarderTest, is_drained_at_once_when_nobody_is_connected) {
  EXPECT_TRUE(finish(forwarder_.drain()));
}

TEST_F(ForwarderTest, lets_go_of_a_connection_that_nobody_uses) {
  pods_.apply(pod("one"));
  {
    const auto local = connect();
    EXPECT_EQ(exchange(*local, "x"), "x");
    EXPECT_EQ(forwarder_.pool().connections(), 1U);
  }
  EXPECT_TRUE(eventually([&] { return forwarder_.pool().connections() == 0; }));
}

TEST(PodsTest, are_candidates_while_they_run_and_are_wanted) {
  Pods pods;
  pods.replace({pod("a", "Pending"), pod("b"), pod("c", "Running", true, true), pod("d")});
  EXPECT_THAT(pods.candidates(), ElementsAre(PodName{"proxies", "b"}, PodName{"proxies", "d"}));
  EXPECT_EQ(pods.describe(), "a is Pending, b is Running, c is being deleted, d is Running");
  pods.apply(pod("b", "Running", false));
  EXPECT_THAT(pods.candidates(), ElementsAre(PodName{"proxies", "d"}));
  pods.apply(pod("d", "Running", false));
  EXPECT_EQ(pods.candidates().size(), 2U);
}

TEST(PodsTest, tell_who_has_gone) {
  Pods pods;
  std::vector<std::string> gone;
  pods.on_gone([&](const PodName& name) { gone.push_back(name.name); });
  pods.replace({pod("a"), pod("b")});
  pods.replace({pod("b")});
  EXPECT_THAT(gone, ElementsAre("a"));
  pods.remove(pod("b"));
  EXPECT_THAT(gone, ElementsAre("a", "b"));
  EXPECT_THAT(pods.candidates(), IsEmpty());
}

}  // namespace
}  // namespace portforward
