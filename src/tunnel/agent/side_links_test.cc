#include "tunnel/agent/side_links.h"

#include <optional>
#include <set>

#include <gtest/gtest.h>

#include "async/testing/run.h"
#include "net/listener.h"
#include "net/testing/certificates.h"
#include "tunnel/agent/connector.h"
#include "tunnel/control_stream.h"
#include "tunnel/native.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;
using async::Task;
using base::Result;

// The server's end of a native link, as little of it as a test of links needs.
class ServerEnd : private http::H2Connection::Handler, private ControlStream::Owner {
 public:
  ServerEnd(async::Loop& loop, std::unique_ptr<net::Stream> stream,
            const http::H2Session::WindowPolicy& windows, base::MemoryBudget& budget,
            std::multiset<std::string>& links)
      : links_(links),
        connection_(loop.get_executor(), std::move(stream),
                    native::session_options(http::H2Session::Role::client, windows, budget),
                    static_cast<http::H2Connection::Handler&>(*this)) {}

  Task<void> run() {
    const http::Headers headers{{":method", "POST"},
                                {":scheme", "https"},
                                {":path", std::string(native::kControlPath)},
                                {":authority", "a"},
                                {"server-id", "a"},
                                {"server-count", "1"},
                                {"ping-interval-ms", "5000"}};
    CO_TRY_VOID(connection_.session().request(headers, [this](http::H2Stream& stream) {
      ControlStream::Owner& self = *this;
      auto control = std::make_unique<ControlStream>(stream, self);
      control_ = control.get();
      return control;
    }));
    co_return co_await connection_.run();
  }
  void ask(std::int64_t count, bool far) {
    control_->send({.type = ControlMessage::Type::more_links, .count = count, .far = far});
  }
  void close() { connection_.close(); }
  const std::string& link() const { return link_; }

 private:
  std::unique_ptr<http::H2StreamHandler> on_request(http::H2Stream&,
                                                    const http::Headers&) override {
    return nullptr;
  }
  void on_introduction(const http::Headers& headers) override {
    link_ = *http::find(headers, "link");
    links_.insert(link_);
    control_->send({.type = ControlMessage::Type::welcome});
  }
  void on_control(const ControlMessage&) override {}
  void on_control_over(const std::string&) override {}

  std::multiset<std::string>& links_;
  std::string link_;
  ControlStream* control_ = nullptr;
  http::H2Connection connection_;
};

// An agent with one loop, and a server that asks it for links.
class SideLinksTest : public ::testing::Test {
 protected:
  SideLinksTest() {
    const auto identity = authority_.issue("hub", {"hub.example"});
    server_ = *net::TlsContext::make(net::TlsContext::Role::server,
                                     {.certificate_chain_pem = identity.certificate_pem,
                                      .private_key_pem = identity.key_pem,
                                      .alpn = {std::string(native::kAlpn)}});
    client_ = *net::TlsContext::make(net::TlsContext::Role::client,
                                     {.trusted_ca_pem = authority_.certificate_pem(),
                                      .alpn = {std::string(native::kAlpn)},
                                      .require_alpn = true});
    auto listener = net::listen_tcp(loop_, clock_, "127.0.0.1", 0);
    EXPECT_TRUE(listener);
    listener_ = *std::move(listener);
    serving_.spawn("accept", accept_all());
    Connector::Options options;
    options.servers.push_back({"127.0.0.1", listener_->port()});
    options.link.identity.agent_id = "agent-1";
    options.link.server_name = "hub.example";
    connector_.emplace(context_, [this] { return client_; }, count_, options);
    connecting_.spawn("connector", connector_->run());
  }
  ~SideLinksTest() override {
    connecting_.cancel();
    serving_.cancel();
    bool stopped = false;
    stopping_.spawn("stop", stop_all(stopped));
    EXPECT_TRUE(run_until([&] { return stopped; }));
  }

  Task<void> accept_all() {
    for (;;) {
      CO_TRY(auto socket, co_await listener_->accept());
      serving_.spawn("link", serve(net::make_socket_stream(std::move(socket))));
    }
  }
  Task<void> serve(std::unique_ptr<net::Stream> raw) {
    CO_TRY(auto stream, co_await net::tls_handshake(std::move(raw), server_, ""));
    const auto end =
        std::make_unique<ServerEnd>(loop_, std::move(stream), windows_, budget_, links_);
    ends_.push_back(end.get());
    auto result = co_await end->run();
    std::erase(ends_, end.get());
    links_.erase(end->link());
    co_return result;
  }
  Task<void> stop_all(bool& stopped) {
    co_await connecting_.join();
    (void)co_await connector_->stop();
    co_await serving_.join();
    stopped = true;
    co_return Result<void>{};
  }

  template <typename Condition>
  bool run_until(Condition done) {
    return async::testing::run_until(loop_, std::move(done));
  }
  bool wait_for_links(std::multiset<std::string> wanted) {
    return run_until([&] { return links_ == wanted; });
  }
  // All that the loop can do without the peer is done.
  void settle() {
    for (int i = 0; i < 20; ++i) {
      loop_.restart();
      loop_.poll();
    }
  }

  async::Loop loop_;
  async::ManualClock clock_{loop_.get_executor()};
  net::testing::Authority authority_;
  std::shared_ptr<const net::TlsContext> server_, client_;
  metrics::Registry registry_;
  AgentMetrics metrics_{registry_};
  base::MemoryBudget budget_{1 << 20};
  StallWatch stalls_{clock_};
  base::MemoryBudget grown_windows_{32 << 20};
  http::H2Session::WindowPolicy windows_{clock_, grown_windows_, 4 << 20};
  AgentContext context_{clock_, loop_.get_executor(), metrics_, budget_, stalls_, windows_, 1 << 20,
                        false};
  ServerCount count_;
  std::unique_ptr<net::Listener> listener_;
  std::multiset<std::string> links_;  // their numbers
  std::vector<ServerEnd*> ends_;
  std::optional<Connector> connector_;
  async::TaskGroup serving_{loop_.get_executor()};
  async::TaskGroup connecting_{loop_.get_executor()};
  async::TaskGroup stopping_{loop_.get_executor()};
};

TEST_F(SideLinksTest, opens_those_that_a_long_path_needs_on_one_loop) {
  ASSERT_TRUE(wait_for_links({"0"}));
  ends_.front()->ask(3, true);
  EXPECT_TRUE(wait_for_links({"0", "1", "2"}));
  EXPECT_EQ(metrics_.open_server_connections.value(), 1);
}

TEST_F(SideLinksTest, opens_none_for_cores_that_the_agent_lacks) {
  ASSERT_TRUE(wait_for_links({"0"}));
  ends_.front()->ask(3, false);
  ends_.front()->ask(2, true);
  ASSERT_TRUE(wait_for_links({"0", "1"}));
  settle();
  EXPECT_EQ(links_.size(), 2u);
}

TEST_F(SideLinksTest, opens_no_more_than_eight_whatever_is_asked) {
  ASSERT_TRUE(wait_for_links({"0"}));
  ends_.front()->ask(1'000'000, true);
  EXPECT_TRUE(wait_for_links({"0", "1", "2", "3", "4", "5", "6", "7"}));
  settle();
  EXPECT_EQ(links_.size(), native::kMostLinks);
}

TEST_F(SideLinksTest, opens_again_the_one_that_was_lost) {
  ASSERT_TRUE(wait_for_links({"0"}));
  ends_.front()->ask(2, true);
  ASSERT_TRUE(wait_for_links({"0", "1"}));
  ends_.back()->close();
  ASSERT_TRUE(wait_for_links({"0"}));
  EXPECT_TRUE(run_until([&] {
    clock_.advance(100ms);
    return links_.size() == 2;
  }));
}

TEST_F(SideLinksTest, closes_them_with_the_first) {
  ASSERT_TRUE(wait_for_links({"0"}));
  ends_.front()->ask(3, true);
  ASSERT_TRUE(wait_for_links({"0", "1", "2"}));
  ends_.front()->close();
  EXPECT_TRUE(run_until([&] { return !links_.contains("1") && !links_.contains("2"); }));
}

}  // namespace
}  // namespace tunnel
