#include "net/dial.h"

#include <optional>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <gtest/gtest.h>

#include "async/task_group.h"

namespace net {
namespace {

using namespace std::chrono_literals;
using async::Task;
using base::Result;
using Tcp = boost::asio::ip::tcp;

/// A listener that answers nobody as long as one connection waits to be accepted.
class FullListener {
 public:
  explicit FullListener(async::Loop& loop) : acceptor_(loop.get_executor(), Tcp::v4()) {
    acceptor_.bind({boost::asio::ip::address_v4::loopback(), 0});
    acceptor_.listen(0);
    first_.emplace(loop.get_executor());
    first_->connect(acceptor_.local_endpoint());
  }
  std::string address() const {
    return "127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }
  void make_room() { acceptor_.accept().close(); }

 private:
  Tcp::acceptor acceptor_;
  std::optional<Tcp::socket> first_;
};

class DialTest : public ::testing::Test {
 protected:
  static Task<void> keep(Task<Socket> dial, std::optional<Result<Socket>>& into) {
    into.emplace(co_await std::move(dial));
    co_return Result<void>{};
  }
  void poll() {
    loop_.restart();
    loop_.poll();
  }
  /// Runs the loop while seconds pass on the dial's clock alone.
  void pass(int seconds) {
    for (int i = 0; i < seconds && !socket_; ++i) {
      clock_.advance(1s);
      poll();
      poll();
    }
  }

  async::Loop loop_{1};
  async::ManualClock clock_{loop_.get_executor()};
  std::optional<Result<Socket>> socket_;
  async::TaskGroup tasks_{loop_.get_executor()};
};

// The system itself asks again after a second of real time at the soonest.
TEST_F(DialTest, asks_a_peer_again_that_comes_back) {
  FullListener listener(loop_);
  tasks_.spawn("dial", keep(dial_tcp(clock_, listener.address(), 60s, {}), socket_));
  poll();
  pass(5);
  ASSERT_FALSE(socket_);
  listener.make_room();
  pass(5);
  ASSERT_TRUE(socket_);
  EXPECT_TRUE(*socket_);
}

TEST_F(DialTest, gives_up_at_its_limit_all_the_same) {
  FullListener listener(loop_);
  tasks_.spawn("dial", keep(dial_tcp(clock_, listener.address(), 10s, {}), socket_));
  poll();
  pass(12);
  ASSERT_TRUE(socket_);
  ASSERT_FALSE(*socket_);
  EXPECT_EQ(socket_->error().message, "dial tcp " + listener.address() + ": i/o timeout");
}

}  // namespace
}  // namespace net
