#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/testing/run.h"
#include "async/timeout.h"
#include "http/request_reader.h"
#include "net/dial.h"

namespace http {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A server on loopback, and a client that sends raw bytes.
class HttpServer : public ::testing::Test {
 protected:
  HttpServer() {
    routes_.get("/ok", [](const ServerRequest&) { return ServerResponse{.body = "ok"}; });
    routes_.get("/echo", [](const ServerRequest& request) {
      return ServerResponse{.body = request.host + "|" + request.query};
    });
    routes_.get("/tree/",
                [](const ServerRequest& request) { return ServerResponse{.body = request.path}; });
  }

  void start(Server::Limits limits = {}) {
    auto listener = net::listen_tcp(loop_, clock_, "127.0.0.1", 0);
    ASSERT_TRUE(listener) << listener.error().message;
    server_ = std::make_unique<Server>(loop_, clock_, std::move(*listener), routes_, limits);
    server_->start();
  }

  ~HttpServer() override {
    if (server_) EXPECT_TRUE(async::testing::run(loop_, server_->stop(1s)));
  }

  async::Task<std::unique_ptr<net::Stream>> dial() {
    CO_TRY(auto socket, co_await net::dial_tcp(clock_, server_->address(), 5s, {}));
    co_return net::make_socket_stream(std::move(socket));
  }

  static async::Task<std::string> read_to_end(net::Stream& stream) {
    std::string text;
    std::array<std::uint8_t, 4096> block;
    while (true) {
      CO_TRY(const std::size_t count, co_await stream.read_some(block));
      if (count == 0) co_return text;
      text += base::as_text({block.data(), count});
    }
  }

  async::Task<std::string> talk(std::string wire) {
    CO_TRY(auto stream, co_await dial());
    CO_TRY_VOID(co_await stream->write_all(base::as_bytes(wire)));
    co_return co_await async::with_timeout(clock_, 5s, "answer", read_to_end(*stream));
  }

  /// All that the server sends until it closes, after `wire`.
  std::string answer(const std::string& wire) {
    auto text = async::testing::run(loop_, talk(wire));
    return text ? *text : "error: " + text.error().message;
  }

  async::Loop loop_{1};
  async::SystemClock clock_;
  Routes routes_;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpServer, answers_a_request) {
  start();
  EXPECT_THAT(
      answer("GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
      AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
            HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"),
            HasSubstr("Content-Length: 2\r\n"), HasSubstr("Date: "), EndsWith("\r\n\r\nok")));
}

TEST_F(HttpServer, keeps_a_connection_and_answers_pipelined_requests_in_order) {
  start();
  const std::string text = answer(
      "GET /echo?a HTTP/1.1\r\nHost: h\r\n\r\nGET /echo?b=1 HTTP/1.1\r\nHost: h\r\n\r\nGET /ok "
      "HTTP/1.0\r\n\r\n");
  EXPECT_LT(text.find("h|a"), text.find("h|b=1"));
  EXPECT_THAT(text, EndsWith("ok"));
}

TEST_F(HttpServer, sends_the_head_alone_for_head) {
  start();
  EXPECT_THAT(answer("HEAD /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              AllOf(HasSubstr("Content-Length: 2\r\n"), EndsWith("\r\n\r\n")));
}

TEST_F(HttpServer, ignores_the_body_of_a_request) {
  start();
  EXPECT_THAT(
      answer("GET /ok HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /ok HTTP/1.0\r\n\r\n"),
      AllOf(HasSubstr("okHTTP/1.1 200"), EndsWith("ok")));
}

TEST_F(HttpServer, refuses_unknown_paths_and_methods) {
  start();
  EXPECT_THAT(answer("GET /no HTTP/1.0\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 404 Not Found\r\n"), EndsWith("404 page not found\n")));
  EXPECT_THAT(
      answer("POST /ok HTTP/1.0\r\n\r\n"),
      AllOf(StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"), HasSubstr("Allow: GET, HEAD\r\n")));
}

TEST_F(HttpServer, refuses_what_is_not_http) {
  start();
  EXPECT_THAT(answer("\x16\x03\x01\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 400 Bad Request\r\n"), HasSubstr("Connection: close\r\n"),
                    EndsWith("400 Bad Request")));
}

TEST_F(HttpServer, refuses_heads_and_bodies_beyond_the_limits) {
  start({.head_bytes = 1024, .body_bytes = 16});
  EXPECT_THAT(answer("GET /ok HTTP/1.1\r\nX: " + std::string(1025, 'x')),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(answer("GET /ok HTTP/1.1\r\nContent-Length: 17\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServer, closes_a_connection_that_sends_no_whole_request) {
  start({.request_time = 20ms});
  EXPECT_EQ(answer("GET /ok HTTP/1.1\r\n"), "");
}

TEST_F(HttpServer, stops_though_a_connection_is_idle) {
  start();
  auto stream = async::testing::run(loop_, dial());
  ASSERT_TRUE(stream);
  EXPECT_TRUE(async::testing::run(loop_, server_->stop(10s)));
  auto rest = async::testing::run(loop_, read_to_end(**stream));
  EXPECT_TRUE(!rest || rest->empty());
  server_.reset();
}

TEST(Routes, prefer_the_longest_path) {
  Routes routes;
  routes.get("/a/", [](const ServerRequest&) { return ServerResponse{.body = "a"}; });
  routes.get("/a/b/", [](const ServerRequest&) { return ServerResponse{.body = "b"}; });
  routes.get("/a/b/c", [](const ServerRequest&) { return ServerResponse{.body = "c"}; });
  const auto body = [&](std::string path) {
    return routes.answer({.method = "GET", .path = std::move(path)}).body;
  };
  EXPECT_EQ(body("/a/b/c"), "c");
  EXPECT_EQ(body("/a/b/d"), "b");
  EXPECT_EQ(body("/a/"), "a");
  EXPECT_EQ(body("/a/x/y"), "a");
  EXPECT_EQ(body("/a"), "404 page not found\n");
}

TEST(ServerRequest, knows_its_parameters) {
  const ServerRequest request{.query = "a=1&verbose&b="};
  EXPECT_TRUE(request.has_parameter("verbose"));
  EXPECT_TRUE(request.has_parameter("a"));
  EXPECT_FALSE(request.has_parameter("verb"));
}

TEST(RequestReader, waits_for_the_rest_of_a_request_cut_anywhere) {
  const std::string wire = "GET /p?q HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy";
  for (std::size_t cut = 1; cut < wire.size(); ++cut) {
    RequestReader reader({.head_bytes = 1024, .body_bytes = 1024});
    reader.feed(base::as_bytes(wire.substr(0, cut)));
    EXPECT_FALSE(reader.next()) << cut;
    reader.feed(base::as_bytes(wire.substr(cut)));
    const auto outcome = reader.next();
    ASSERT_TRUE(outcome) << cut;
    EXPECT_EQ(outcome->request.path, "/p");
    EXPECT_EQ(outcome->request.query, "q");
    EXPECT_FALSE(reader.next());
  }
}

}  // namespace
}  // namespace http
