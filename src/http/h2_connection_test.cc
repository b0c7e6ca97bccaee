#include "http/h2_connection.h"

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "async/testing/run.h"
#include "net/dial.h"
#include "net/listener.h"

namespace http {
namespace {

using namespace std::chrono_literals;
using async::Task;
using base::Code;
using base::Result;

class Listens : public H2Connection::Handler {
 public:
  std::unique_ptr<H2StreamHandler> on_request(H2Stream&, const Headers&) override {
    return nullptr;
  }
  void on_ping_acknowledged() override { ++acknowledged; }
  int acknowledged = 0;
};

// Two ends of a TCP connection, HTTP/2 on the one, on the other as well when it is to answer; and
// a clock that stands still.
class H2KeepAlive : public ::testing::Test {
 protected:
  static constexpr async::Duration kIdle = 30s, kSilence = 20s;

  H2KeepAlive() {
    tasks_.spawn("connect", connect());
    EXPECT_TRUE(run_until([this] { return client_ && peer_; }));
  }
  ~H2KeepAlive() override {
    tasks_.cancel();
    EXPECT_TRUE(run_until([this] { return tasks_.empty(); }));
  }

  Task<void> connect() {
    CO_TRY(auto listener, net::listen_tcp(loop_, clock_, "127.0.0.1", 0));
    CO_TRY(auto dialed, co_await net::dial_tcp(clock_, listener->address(), 5s, {}));
    CO_TRY(auto accepted, co_await listener->accept());
    const H2Session::Options options{.role = H2Session::Role::client};
    client_.emplace(loop_.get_executor(), net::make_socket_stream(std::move(dialed)), options,
                    handler_);
    peer_ = net::make_socket_stream(std::move(accepted));
    co_return Result<void>{};
  }
  void start() {
    tasks_.spawn("client", run(*client_));
    tasks_.spawn("keep alive", watch());
    EXPECT_TRUE(run_until([this] { return clock_.sleepers() == 1; }));
  }
  void answer() {
    const H2Session::Options options{.role = H2Session::Role::server};
    server_.emplace(loop_.get_executor(), std::move(peer_), options, peer_handler_);
    tasks_.spawn("server", run(*server_));
  }
  static Task<void> run(H2Connection& connection) { co_return co_await connection.run(); }
  Task<void> watch() {
    verdict_ = co_await client_->keep_alive(clock_, kIdle, kSilence);
    co_return Result<void>{};
  }
  // Lets `by` pass and keep_alive() take note of it.
  void pass(async::Duration by) {
    clock_.advance(by);
    loop_.restart();
    loop_.poll();
  }
  // The peer's word has arrived: nothing else can be seen of it from outside.
  void speak() {
    const int before = peer_handler_.acknowledged;
    server_->session().ping();
    EXPECT_TRUE(run_until([&] { return peer_handler_.acknowledged > before; }));
  }
  template <typename Condition>
  bool run_until(Condition done) {
    return async::testing::run_until(loop_, std::move(done));
  }

  async::Loop loop_;
  async::ManualClock clock_{loop_.get_executor()};
  Listens handler_, peer_handler_;
  std::unique_ptr<net::Stream> peer_;
  std::optional<H2Connection> client_, server_;
  std::optional<Result<void>> verdict_;
  async::TaskGroup tasks_{loop_.get_executor()};
};

TEST_F(H2KeepAlive, pings_a_silent_peer_and_goes_on_when_it_answers) {
  answer();
  start();
  speak();
  pass(kIdle);  // something was heard
  for (int pings = 1; pings <= 3; ++pings) {
    pass(kIdle - 1ms);
    EXPECT_EQ(handler_.acknowledged, pings - 1);
    pass(1ms);
    EXPECT_TRUE(run_until([&] { return handler_.acknowledged == pings; }));
    pass(kSilence);
  }
  EXPECT_FALSE(verdict_);
}

TEST_F(H2KeepAlive, does_not_ping_a_peer_that_speaks) {
  answer();
  start();
  for (int i = 0; i < 5; ++i) {
    speak();
    pass(kIdle);
  }
  speak();
  EXPECT_EQ(handler_.acknowledged, 0);
  EXPECT_FALSE(verdict_);
}

TEST_F(H2KeepAlive, gives_up_a_peer_that_does_not_answer) {
  start();
  pass(kIdle);
  pass(kSilence - 1ms);
  EXPECT_FALSE(verdict_);
  pass(1ms);
  ASSERT_TRUE(run_until([this] { return verdict_.has_value(); }));
  EXPECT_EQ(verdict_->error().message, "the peer does not answer pings");
  EXPECT_TRUE(verdict_->error().is(Code::timeout));
}

}  // namespace
}  // namespace http
