#include "http/connect_request.h"

#include <gtest/gtest.h>

namespace http {
namespace {

std::string read(std::string_view bytes) {
  ConnectRequestReader reader;
  reader.feed(base::as_bytes(bytes));
  const auto outcome = reader.next();
  if (!outcome) return "more";
  if (outcome->refusal != 0)
    return std::to_string(outcome->refusal) + (outcome->keep_alive ? " keep" : "");
  return outcome->target + "|" + reader.take_rest();
}

TEST(ConnectRequest, takes_the_target_and_leaves_what_follows) {
  EXPECT_EQ(read("CONNECT nginx:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nearly bytes"),
            "nginx:80|early bytes");
  EXPECT_EQ(read("CONNECT [::1]:80 HTTP/1.0\r\n\r\n"), "[::1]:80|");
}

TEST(ConnectRequest, takes_lines_that_end_in_a_bare_lf) {
  EXPECT_EQ(read("\r\nCONNECT a:1 HTTP/1.1\nHost: b\n\nrest\n"), "a:1|rest\n");
}

TEST(ConnectRequest, falls_back_to_host_for_a_path) {
  EXPECT_EQ(read("CONNECT /x HTTP/1.1\r\nHost: a:1\r\n\r\n"), "a:1|");
}

TEST(ConnectRequest, refuses_what_it_is_not_for) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "405 keep");
  EXPECT_EQ(read("GET / HTTP/1.0\r\n\r\n"), "405");
  EXPECT_EQ(read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"), "405");
  EXPECT_EQ(read("nonsense\r\n\r\n"), "400");
  EXPECT_EQ(read("GET / HTTP/1.1\r\n\r\n"), "400");
  EXPECT_EQ(read("CONNECT a:1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "400");
  EXPECT_EQ(read("CONNECT a:1:2[ HTTP/1.1\r\n\r\n"), "400");
}

TEST(ConnectRequest, says_for_the_log_why_it_refuses) {
  const auto reason = [](std::string_view bytes) {
    ConnectRequestReader reader;
    reader.feed(base::as_bytes(bytes));
    return reader.next()->reason;
  };
  EXPECT_EQ(reason("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            "the client speaks HTTP/2; make it ask by HTTP/1.1 CONNECT, or start the server with "
            "--mode=grpc when it is a gRPC client");
  EXPECT_EQ(reason("\x16\x03\x01"),
            "the client speaks TLS; this socket speaks without it: turn TLS off at the client");
  EXPECT_EQ(reason("nonsense\r\n\r\n"),
            "the client does not speak HTTP/1; this port takes HTTP/1.1 CONNECT");
  EXPECT_EQ(reason("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            "the client asked for GET; this port takes CONNECT only");
}

TEST(ConnectRequest, waits_for_the_whole_head_but_not_for_a_huge_one) {
  EXPECT_EQ(read("CONNECT a:1 HTTP/1.1\r\nHost"), "more");
  EXPECT_EQ(read("CONNECT a:1 HTTP/1.1\r\nX: " + std::string(2'000'000, 'x')), "431");
  EXPECT_EQ(read("CONNECT a:1 HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"), "400");
  std::string large = "CONNECT a:1 HTTP/1.1\r\n";
  for (int i = 0; i < 20; ++i) large += "X: " + std::string(50'000, 'x') + "\r\n";
  EXPECT_EQ(read(large + "\r\n"), "a:1|");
}

TEST(ConnectRequest, takes_requests_one_after_another) {
  ConnectRequestReader reader;
  reader.feed(base::as_bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\nCONNECT a:1 HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(reader.next()->refusal, 405u);
  EXPECT_EQ(reader.next()->target, "a:1");
}

}  // namespace
}  // namespace http
