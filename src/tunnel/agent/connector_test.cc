#include "tunnel/agent/connector.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>

#include "async/testing/run.h"
#include "net/listener.h"
#include "net/testing/certificates.h"
#include "tunnel/native.h"
#include "tunnel/server/server.h"

namespace tunnel {
namespace {

using namespace std::chrono_literals;
using async::Task;
using base::Result;

std::shared_ptr<const net::TlsContext> server_context(const net::testing::Authority& authority) {
  const auto identity = authority.issue("hub", {"hub.example"});
  const net::TlsOptions options{.certificate_chain_pem = identity.certificate_pem,
                                .private_key_pem = identity.key_pem,
                                .alpn = {std::string(native::kAlpn), "h2"}};
  return *net::TlsContext::make(net::TlsContext::Role::server, options);
}

// Lets no agent in.
class Refuser : public TokenAuthenticator {
 public:
  Task<void> authenticate(std::string) override {
    ++asked;
    co_return base::fail(base::Code::unauthenticated, "unknown token");
  }
  int asked = 0;
};

// A tunnel server on a port of loopback.
class TestServer {
 public:
  TestServer(async::Loop& loop, async::Clock& clock, const net::testing::Authority& authority,
             AgentAdmission admission, std::uint16_t wanted_port = 0)
      : clock_(clock) {
    ServerOptions options;
    options.admission = std::move(admission);
    server_.emplace(std::vector{&loop}, clock, registry_, budget_, options);
    auto listener = net::listen_tcp(loop, clock, "127.0.0.1", wanted_port);
    EXPECT_TRUE(listener) << listener.error().message;
    port = (*listener)->port();
    server_->serve_agents(std::move(*listener), [this, context = server_context(authority)] {
      ++accepted;
      return context;
    });
  }
  static Task<void> stop(TestServer& server, bool& stopped) {
    co_await server.server_->stop(server.clock_.now());
    stopped = true;
    co_return Result<void>{};
  }
  static Task<void> count_links(TestServer& server, std::optional<std::size_t>& links) {
    CO_TRY(const ServerStatus status, co_await server.server_->status(0));
    links = status.links.size();
    co_return Result<void>{};
  }
  std::string metrics() const { return registry_.expose(); }

  std::uint16_t port = 0;
  int accepted = 0;  // connections

 private:
  async::Clock& clock_;
  metrics::Registry registry_;
  base::MemoryBudget budget_{1 << 20};
  std::optional<Server> server_;
};

class ConnectorTest : public ::testing::Test {
 protected:
  ~ConnectorTest() override {
    stop_connector();
    for (auto& server : servers_) stop(*server);
    std::filesystem::remove(token_file_);
  }

  TestServer& serve(const std::string& id, int count, std::uint16_t port = 0) {
    servers_.push_back(std::make_unique<TestServer>(
        loop_, clock_, authority_, AgentAdmission{.server_id = id, .server_count = count}, port));
    return *servers_.back();
  }
  TestServer& serve_native() {
    alpn_ = native::kAlpn;
    client_ = client_context();
    servers_.push_back(std::make_unique<TestServer>(
        loop_, native_servers_, authority_, AgentAdmission{.server_id = "a", .server_count = 1}));
    return *servers_.back();
  }
  bool wait_for_links(TestServer& server, std::size_t count) {
    std::optional<std::size_t> links;
    return run_until([&] {
      if (links == count) return true;
      links.reset();
      tasks_.spawn("status", TestServer::count_links(server, links));
      run_until([&] { return links.has_value(); });
      return links == count;
    });
  }
  void stop(TestServer& server) {
    bool stopped = false;
    tasks_.spawn("stop", TestServer::stop(server, stopped));
    EXPECT_TRUE(run_until([&] { return stopped; }));
  }

  void start(std::vector<std::uint16_t> ports, async::Duration interval) {
    start(std::move(ports), interval, {.sync_interval_cap = interval});
  }
  void start(std::vector<std::uint16_t> ports, async::Duration interval,
             Connector::Options options) {
    for (const std::uint16_t port : ports) options.servers.push_back({"127.0.0.1", port});
    options.link.identity.agent_id = "agent-1";
    options.link.server_name = "hub.example";
    options.sync_interval = interval;
    connector_.emplace(context_, [this] { return client_; }, count_, options);
    connecting_.spawn("connector", connector_->run());
  }
  void stop_connector() {
    if (!connector_) return;
    connecting_.cancel();
    bool stopped = false;
    tasks_.spawn("stop", stop_all(stopped));
    EXPECT_TRUE(run_until([&] { return stopped; }));
    connector_.reset();
  }
  Task<void> stop_all(bool& stopped) {
    co_await connecting_.join();
    (void)co_await connector_->stop();
    stopped = true;
    co_return Result<void>{};
  }

  template <typename Condition>
  bool run_until(Condition done) {
    return async::testing::run_until(loop_, std::move(done), [this] {
      if (hurry_) clock_.advance(100ms);
    });
  }
  bool wait_for_connections(int count) {
    return run_until([&] { return metrics_.open_server_connections.value() == count; });
  }

  // An agent that has a token, at a server that lets none in. Returns how many tasks sleep while
  // no attempt is under way.
  std::size_t start_refused(Refuser& refuser, async::Duration interval, async::Duration cap) {
    servers_.push_back(std::make_unique<TestServer>(
        loop_, clock_, authority_, AgentAdmission{.server_id = "a", .authenticator = &refuser}));
    const std::size_t of_server = sleeping();
    std::ofstream(token_file_) << "token";
    Connector::Options options{.sync_interval_cap = cap};
    options.link.identity.token_file = token_file_;
    start({servers_.back()->port}, interval, std::move(options));
    return of_server + 1;
  }

  // How many tasks sleep once all that can be done without the peer is done.
  std::size_t sleeping() {
    loop_.restart();
    loop_.poll();
    return clock_.sleepers();
  }

  const std::string token_file_ =
      ::testing::TempDir() + "connector-token-" + std::to_string(::getpid());

  std::shared_ptr<const net::TlsContext> client_context() {
    const net::TlsOptions options{
        .trusted_ca_pem = authority_.certificate_pem(), .alpn = {alpn_}, .require_alpn = true};
    return *net::TlsContext::make(net::TlsContext::Role::client, options);
  }

  async::Loop loop_;
  async::ManualClock clock_{loop_.get_executor()};
  async::ManualClock native_servers_{
      loop_.get_executor()};  // as long as it stands they ping nobody
  bool hurry_ = false;        // time passes
  net::testing::Authority authority_;
  metrics::Registry registry_;
  AgentMetrics metrics_{registry_};
  base::MemoryBudget budget_{1 << 20};
  StallWatch stalls_{clock_};
  base::MemoryBudget grown_windows_{32 << 20};
  http::H2Session::WindowPolicy windows_{clock_, grown_windows_, 4 << 20};
  AgentContext context_{clock_, loop_.get_executor(), metrics_, budget_, stalls_, windows_, 1 << 20,
                        false};
  std::string alpn_ = "h2";
  std::shared_ptr<const net::TlsContext> client_ = client_context();
  ServerCount count_;
  std::optional<Connector> connector_;
  std::vector<std::unique_ptr<TestServer>> servers_;
  async::TaskGroup connecting_{loop_.get_executor()};
  async::TaskGroup tasks_{loop_.get_executor()};
};

TEST_F(ConnectorTest, finds_servers_at_several_addresses_without_a_pause) {
  auto &a = serve("a", 3), &b = serve("b", 3), &c = serve("c", 3);
  start({a.port, b.port, c.port}, 1h);
  EXPECT_TRUE(wait_for_connections(3));
  EXPECT_TRUE(connector_->connected());
  EXPECT_EQ(metrics_.known_server_count.value(), 3);
}

TEST_F(ConnectorTest, connects_to_no_more_servers_than_there_are) {
  auto &a = serve("a", 1), &b = serve("b", 1);
  start({a.port, b.port}, 1s);
  ASSERT_TRUE(wait_for_connections(1));
  hurry_ = true;
  EXPECT_TRUE(run_until([now = clock_.now() + 30s, this] { return clock_.now() > now; }));
  EXPECT_EQ(metrics_.open_server_connections.value(), 1);
  EXPECT_EQ(a.accepted + b.accepted, 1);
}

TEST_F(ConnectorTest, closes_a_second_link_to_the_same_server) {
  auto& a = serve("a", 2);
  start({a.port}, 1s);
  hurry_ = true;
  EXPECT_TRUE(run_until([&] { return a.accepted >= 5; }));
  EXPECT_TRUE(connector_->connected());
  EXPECT_EQ(metrics_.open_server_connections.value(), 1);
}

TEST_F(ConnectorTest, connects_anew_when_a_server_returns) {
  auto& first = serve("a", 1);
  start({first.port}, 1s);
  ASSERT_TRUE(wait_for_connections(1));
  stop(first);
  EXPECT_TRUE(wait_for_connections(0));
  EXPECT_FALSE(connector_->connected());
  serve("b", 1, first.port);
  hurry_ = true;
  EXPECT_TRUE(wait_for_connections(1));
}

TEST_F(ConnectorTest, replaces_a_silent_link_and_leaves_it_when_it_speaks_again) {
  auto& server = serve_native();
  start({server.port}, 1s);
  ASSERT_TRUE(wait_for_connections(1));
  hurry_ = true;
  ASSERT_TRUE(run_until([&] { return server.accepted == 2; }));
  hurry_ = false;
  ASSERT_TRUE(wait_for_links(server, 2));
  const auto healed = clock_.now();
  native_servers_.advance(native::kPingInterval);
  hurry_ = true;
  EXPECT_TRUE(wait_for_links(server, 1));
  EXPECT_LT(clock_.now() - healed, 10s);
  EXPECT_EQ(metrics_.open_server_connections.value(), 1);
}

TEST_F(ConnectorTest, does_not_wait_for_a_server_that_accepts_and_says_nothing) {
  auto silent = std::move(*net::listen_tcp(loop_, clock_, "127.0.0.1", 0));
  auto& good = serve("a", 1);
  const auto began = clock_.now();
  start({silent->port(), good.port}, 1h);
  hurry_ = true;
  EXPECT_TRUE(wait_for_connections(1));
  EXPECT_LT(clock_.now() - began, ServerLink::kHandshakeLimit / 2);
}

TEST_F(ConnectorTest, refuses_a_server_of_another_authority) {
  net::testing::Authority other;
  TestServer stranger(loop_, clock_, other, {.server_id = "a"});
  auto& good = serve("b", 1);
  start({stranger.port, good.port}, 1h);
  EXPECT_TRUE(wait_for_connections(1));
  EXPECT_EQ(stranger.accepted, 1);
  EXPECT_EQ(good.accepted, 1);
  stop_connector();
  stop(stranger);
}

TEST_F(ConnectorTest, comes_back_to_a_server_that_refuses_it_after_growing_pauses) {
  Refuser refuser;
  const std::size_t idle = start_refused(refuser, 1s, 10s);
  int attempts = 1;
  std::vector<async::Duration> pauses(20, 250ms);
  pauses.insert(pauses.end(), {1000ms, 1500ms, 2250ms, 3375ms, 5062ms, 7593ms, 10000ms, 10000ms});
  for (const async::Duration pause : pauses) {
    ASSERT_TRUE(run_until([&] { return refuser.asked == attempts && sleeping() == idle; }));
    clock_.advance(pause - 1ms);
    loop_.restart();
    loop_.poll();
    EXPECT_EQ(sleeping(), idle);  // no attempt has begun
    clock_.advance(pause / 10 + 5ms);
    ++attempts;
  }
  EXPECT_TRUE(run_until([&] { return refuser.asked == attempts; }));
}

TEST_F(ConnectorTest, does_not_trouble_the_server_while_it_cannot_read_its_token) {
  Refuser refuser;
  const std::size_t idle = start_refused(refuser, 1s, 1s);
  ASSERT_TRUE(run_until([&] { return refuser.asked == 1 && sleeping() == idle; }));
  std::filesystem::remove(token_file_);
  hurry_ = true;
  ASSERT_TRUE(run_until([now = clock_.now() + 10s, this] { return clock_.now() > now; }));
  EXPECT_EQ(servers_.back()->accepted, 1);
  std::ofstream(token_file_) << "token";
  EXPECT_TRUE(run_until([&] { return refuser.asked == 2; }));
}

TEST_F(ConnectorTest, tells_each_server_once_that_it_drains_and_connects_no_more) {
  auto &a = serve("a", 3), &b = serve("b", 3);
  start({a.port, b.port}, 1s);
  ASSERT_TRUE(wait_for_connections(2));
  const int accepted = a.accepted + b.accepted;
  connector_->drain();
  connector_->drain();
  hurry_ = true;
  EXPECT_TRUE(run_until([now = clock_.now() + 30s, this] { return clock_.now() > now; }));
  EXPECT_LE(a.accepted + b.accepted, accepted + 1);  // one attempt may have been on its way
  EXPECT_TRUE(connector_->connected());
  EXPECT_NE(registry_.expose().find("packet_type=\"DRAIN\",segment=\"from_agent\"} 2"),
            std::string::npos);
}

}  // namespace
}  // namespace tunnel
