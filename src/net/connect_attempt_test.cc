#include "net/connect_attempt.h"

#include <cerrno>
#include <memory>

#include <gtest/gtest.h>

namespace net {
namespace {

using namespace std::chrono_literals;
using Tcp = boost::asio::ip::tcp;

class ConnectAttemptTest : public ::testing::Test {
 protected:
  ConnectAttemptTest() : acceptor_(loop_.get_executor(), Tcp::v4()) {
    acceptor_.bind({boost::asio::ip::address_v4::loopback(), 0});
  }
  std::unique_ptr<ConnectAttempt> attempt() {
    return std::make_unique<ConnectAttempt>(loop_.get_executor(), acceptor_.local_endpoint());
  }
  /// The listener answers nobody as long as one connection waits to be accepted.
  void fill() {
    acceptor_.listen(0);
    first_ = attempt();
  }

  async::Loop loop_{1};
  Tcp::acceptor acceptor_;
  std::unique_ptr<ConnectAttempt> first_;
};

TEST_F(ConnectAttemptTest, needs_no_loop_for_a_peer_that_answers_at_once) {
  acceptor_.listen();
  const auto made = attempt();
  EXPECT_EQ(made->outcome(), 0);
  auto socket = made->take();
  ASSERT_TRUE(socket);
  EXPECT_EQ(peer_name(*socket), "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()));
  EXPECT_EQ(loop_.poll(), 0u);
}

TEST_F(ConnectAttemptTest, tells_a_refusal_at_once) {
  EXPECT_EQ(attempt()->outcome(), ECONNREFUSED);
}

TEST_F(ConnectAttemptTest, tells_what_the_system_does_not_even_try) {
  const Tcp::endpoint nowhere(boost::asio::ip::address_v4::broadcast(), 1);
  EXPECT_NE(ConnectAttempt(loop_.get_executor(), nowhere).outcome().value_or(0), 0);
}

TEST_F(ConnectAttemptTest, waits_for_a_peer_that_answers_later) {
  fill();
  const auto made = attempt();
  EXPECT_FALSE(made->outcome());
  int told = 0;
  made->wait([&] { ++told; });
  loop_.poll();
  EXPECT_EQ(told, 0);
  acceptor_.accept().close();
  loop_.restart();
  while (told == 0 && loop_.run_one_for(30s) > 0) {  // the system asks again after a second
  }
  EXPECT_EQ(told, 1);
  EXPECT_EQ(made->outcome(), 0);
  EXPECT_TRUE(made->take());
}

TEST_F(ConnectAttemptTest, lets_go_of_those_that_wait_when_it_is_given_up) {
  fill();
  auto made = attempt();
  int told = 0;
  made->wait([&] { ++told; });
  made.reset();
  loop_.poll();
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace net
