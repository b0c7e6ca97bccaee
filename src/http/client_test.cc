#include "http/client.h"

#include <deque>

#include <gtest/gtest.h>

#include "async/task_group.h"
#include "async/testing/run.h"
#include "async/timeout.h"
#include "net/listener.h"

namespace http {
namespace {

using async::Task;

/// Answers each request with the next text of a script, whatever was asked; "" closes the
/// connection instead.
class ScriptedServer {
 public:
  ScriptedServer(async::Loop& loop, async::Clock& clock)
      : listener_(*net::listen_tcp(loop, clock, "127.0.0.1", 0)), tasks_(loop.get_executor()) {
    tasks_.spawn("accept", accept());
  }

  Origin origin() const { return {.tls = false, .host = "127.0.0.1", .port = listener_->port()}; }
  std::deque<std::string> script;
  std::vector<std::string> requests;
  int accepted = 0;

 private:
  Task<void> accept() {
    for (;;) {
      CO_TRY(auto socket, co_await listener_->accept());
      ++accepted;
      tasks_.spawn("serve", serve(net::make_socket_stream(std::move(socket))));
    }
  }
  Task<void> serve(std::unique_ptr<net::Stream> stream) {
    std::vector<std::uint8_t> block(65536);
    for (;;) {
      CO_TRY(const auto count, co_await stream->read_some(block));
      if (count == 0) co_return base::Result<void>{};
      requests.emplace_back(base::as_text({block.data(), count}));
      const auto reply = script.empty() ? std::string() : script.front();
      if (!script.empty()) script.pop_front();
      if (reply.empty()) co_return base::Result<void>{};
      CO_TRY_VOID(co_await stream->write_all(base::as_bytes(reply)));
      if (reply.contains("Connection: close") || reply.starts_with("HTTP/1.0"))
        co_return base::Result<void>{};
    }
  }

  std::unique_ptr<net::Listener> listener_;
  async::TaskGroup tasks_;
};

class HttpClient : public ::testing::Test {
 protected:
  base::Result<std::string> get(std::size_t limit = 1 << 20) {
    return send({.target = "/x"}, limit);
  }
  base::Result<std::string> send(ClientRequest request, std::size_t limit = 1 << 20) {
    return async::testing::run(loop_, exchange(std::move(request), limit));
  }
  Task<std::string> exchange(ClientRequest request, std::size_t limit) {
    CO_TRY(auto response, co_await client_.send(std::move(request)));
    status_ = response.status();
    co_return co_await response.read_all(limit);
  }

  async::Loop loop_{1};
  async::SystemClock clock_;
  ScriptedServer server_{loop_, clock_};
  NetConnector connector_{clock_, nullptr, {.origin = server_.origin()}};
  Client client_{clock_, connector_, {.h1 = {.max_head_bytes = 4096}}};
  unsigned status_ = 0;
};

constexpr const char* kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

TEST_F(HttpClient, sends_head_and_body) {
  server_.script = {kHello};
  ASSERT_TRUE(
      send({.method = "POST", .target = "/p?q=1", .fields = {{"X-A", "b"}}, .body = "data"}));
  EXPECT_EQ(
      server_.requests[0],
      fmt::format(
          "POST /p?q=1 HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nX-A: b\r\nContent-Length: 4\r\n\r\ndata",
          server_.origin().port));
}

TEST_F(HttpClient, keeps_the_connection_after_a_whole_response) {
  server_.script = {kHello, kHello, "HTTP/1.1 204 No Content\r\n\r\n", kHello};
  for (const auto* wanted : {"hello", "hello", "", "hello"}) EXPECT_EQ(get(), wanted);
  EXPECT_EQ(server_.accepted, 1);
}

TEST_F(HttpClient, joins_chunks_and_skips_interim_responses) {
  server_.script = {
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
      "chunked\r\n\r\n"
      "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: t\r\n\r\n",
      kHello};
  EXPECT_EQ(get(), "abcde");
  EXPECT_EQ(status_, 200);
  EXPECT_EQ(get(), "hello");
  EXPECT_EQ(server_.accepted, 1);
}

TEST_F(HttpClient, body_without_length_ends_with_the_connection) {
  server_.script = {"HTTP/1.0 200 OK\r\n\r\nto the end", kHello};
  EXPECT_EQ(get(), "to the end");
  EXPECT_EQ(get(), "hello");
  EXPECT_EQ(server_.accepted, 2);
}

TEST_F(HttpClient, connection_close_is_obeyed) {
  server_.script = {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", kHello};
  EXPECT_EQ(get(), "ok");
  EXPECT_EQ(client_.idle(), 0);
}

TEST_F(HttpClient, bytes_behind_a_response_spoil_the_connection) {
  server_.script = {std::string(kHello) + "HTTP/1.1 200 OK\r\n\r\n"};
  EXPECT_EQ(get(), "hello");
  EXPECT_EQ(client_.idle(), 0);
}

TEST_F(HttpClient, answer_to_head_has_no_body) {
  server_.script = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", kHello};
  EXPECT_EQ(send({.method = "HEAD"}), "");
  EXPECT_EQ(get(), "hello");
  EXPECT_EQ(server_.accepted, 1);
}

TEST_F(HttpClient, truncated_and_malformed_responses_are_errors) {
  for (const auto* reply :
       {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "SSH-2.0 hello Connection: close\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\nX"}) {
    server_.script = {reply};
    EXPECT_FALSE(get()) << reply;
  }
}

TEST_F(HttpClient, head_and_body_are_bounded) {
  server_.script = {"HTTP/1.1 200 OK\r\nX: " + std::string(5000, 'x') + "\r\n\r\n"};
  EXPECT_TRUE(get().error().message.contains("header limit")) << get().error().message;
  server_.script = {kHello};
  EXPECT_TRUE(get(4).error().is(base::Code::exhausted));
}

TEST_F(HttpClient, gives_a_switched_connection_away_with_what_came_behind_the_head) {
  server_.script = {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nfirst", "second"};
  auto response = async::testing::run(loop_, client_.send({.target = "/x"}));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status(), 101U);
  auto upgraded = response->take_upgraded();
  EXPECT_EQ(upgraded.first_bytes, "first");
  ASSERT_TRUE(
      async::testing::run(loop_, upgraded.stream->write_all(base::as_bytes("more please"))));
  std::vector<std::uint8_t> block(64);
  const auto count = async::testing::run(loop_, upgraded.stream->read_some(block));
  EXPECT_EQ(base::as_text({block.data(), *count}), "second");
  EXPECT_EQ(client_.idle(), 0U);
}

TEST_F(HttpClient, only_repeatable_requests_are_sent_again) {
  server_.script = {kHello, "", kHello, "", kHello, "", kHello};
  (void)get();
  EXPECT_EQ(get(), "hello");  // the second text closed the kept connection
  EXPECT_EQ(send({.method = "POST"}).error().code, base::Code::closed);
  EXPECT_EQ(server_.requests.size(), 4);
  (void)get();
  EXPECT_EQ(send({.method = "POST", .repeatable = true}), "hello");
}

TEST_F(HttpClient, fresh_connection_that_closes_is_an_error) {
  server_.script = {""};
  EXPECT_EQ(get().error().message, "the server closed the connection before its response");
}

TEST_F(HttpClient, silence_ends_with_the_limit_of_the_caller) {
  auto listener = *net::listen_tcp(loop_, clock_, "127.0.0.1", 0);
  NetConnector connector(clock_, nullptr, {.origin = {false, "127.0.0.1", listener->port()}});
  Client client(clock_, connector);
  const auto response = async::testing::run(
      loop_, async::with_timeout(clock_, std::chrono::milliseconds(20), "GET", client.send({})));
  EXPECT_TRUE(response.error().is(base::Code::timeout));
}

TEST(ClientRequestTest, what_would_smuggle_lines_is_refused) {
  EXPECT_FALSE(check_request({.target = "/a b"}));
  EXPECT_FALSE(check_request({.target = "/a\r\nX: y"}));
  EXPECT_FALSE(check_request({.method = ""}));
  EXPECT_FALSE(check_request({.fields = {{"A", "b\r\nX: y"}}}));
  EXPECT_FALSE(check_request({.fields = {{"A: x", "b"}}}));
  EXPECT_FALSE(check_request({.fields = {{":path", "/b"}}}));
  EXPECT_TRUE(check_request({.fields = {{"A", "b c"}}}));
}

TEST(ClientRequestTest, goes_over_either_protocol) {
  const Origin origin{.tls = true, .host = "h", .port = 8443};
  const ClientRequest request{
      .method = "PUT", .target = "/x", .fields = {{"X-A", "B"}, {"Connection", "close"}}};
  EXPECT_EQ(encode(request, origin),
            "PUT /x HTTP/1.1\r\nHost: h:8443\r\nX-A: B\r\nConnection: close\r\nContent-Length: "
            "0\r\n\r\n");
  std::string fields;
  for (const auto& [name, value] : h2_headers(request, origin)) fields += name + "=" + value + " ";
  EXPECT_EQ(fields, ":method=PUT :scheme=https :authority=h:8443 :path=/x x-a=B content-length=0 ");
}

TEST_F(HttpClient, connect_through_a_proxy_sends_credentials_and_keeps_later_bytes) {
  server_.script = {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ninner"};
  NetConnector::Options options{.origin = {false, "target", 81}};
  options.proxy = Url{.origin = server_.origin(), .user_info = "u:p%40"};
  NetConnector connector(clock_, nullptr, options);
  auto connection = async::testing::run(loop_, connector.connect());
  ASSERT_TRUE(connection) << connection.error().message;
  EXPECT_EQ(server_.requests[0],
            "CONNECT target:81 HTTP/1.1\r\nHost: target:81\r\nProxy-Authorization: Basic "
            "dTpwQA==\r\n\r\n");
  std::vector<std::uint8_t> block(64);
  const auto count = async::testing::run(loop_, connection->stream->read_some(block));
  EXPECT_EQ(base::as_text({block.data(), *count}), "inner");
}

TEST_F(HttpClient, refusal_of_a_proxy_is_named) {
  server_.script = {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"};
  NetConnector::Options options{.origin = {false, "target", 81}};
  options.proxy = Url{.origin = server_.origin()};
  NetConnector connector(clock_, nullptr, options);
  const auto refused = async::testing::run(loop_, connector.connect());
  EXPECT_EQ(refused.error().message,
            fmt::format("proxy 127.0.0.1:{}: the proxy answered 407 Proxy Authentication Required",
                        server_.origin().port));
}

}  // namespace
}  // namespace http
