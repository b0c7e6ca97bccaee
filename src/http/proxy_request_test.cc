#include "http/proxy_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::optional<ProxyRequestReader::Outcome> read(std::string_view text) {
  ProxyRequestReader reader;
  reader.feed(base::as_bytes(text));
  return reader.next();
}

TEST(ProxyRequest, reads_connect) {
  ProxyRequestReader reader;
  reader.feed(
      base::as_bytes(std::string("CONNECT cluster1:443 HTTP/1.1\r\nHost: cluster1:443\r\n")));
  EXPECT_FALSE(reader.next());
  reader.feed(base::as_bytes(std::string("\r\nearly")));
  const auto outcome = reader.next();
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->target, "cluster1:443");
  EXPECT_EQ(outcome->forwarded, "");
  EXPECT_EQ(reader.take_rest(), "early");
}

TEST(ProxyRequest, turns_a_whole_url_into_a_request_to_its_origin) {
  const auto outcome = read(
      "GET http://nginx.cluster1:8080/a?b=c HTTP/1.1\r\nHost: x\r\nProxy-Connection: keep-alive\r\n"
      "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nAccept: */*\r\n\r\n");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->target, "nginx.cluster1:8080");
  EXPECT_THAT(
      outcome->forwarded,
      AllOf(StartsWith("GET /a?b=c HTTP/1.1\r\n"), HasSubstr("Host: nginx.cluster1:8080\r\n"),
            HasSubstr("Connection: close\r\n"), HasSubstr("Accept: */*\r\n"),
            Not(HasSubstr("X-Hop")), Not(HasSubstr("Proxy-"))));
  EXPECT_THAT(read("GET http://nginx HTTP/1.1\r\nHost: nginx\r\n\r\n")->forwarded,
              StartsWith("GET / HTTP/1.1\r\n"));
}

// The answer of the origin goes to the client as it comes: one of 1.0 knows no chunks.
TEST(ProxyRequest, keeps_the_version_of_the_client) {
  EXPECT_THAT(read("GET http://a/ HTTP/1.0\r\n\r\n")->forwarded, StartsWith("GET / HTTP/1.0\r\n"));
}

TEST(ProxyRequest, knows_no_case_where_there_is_none) {
  const auto outcome =
      read("GET HTTP://a/ HTTP/1.1\r\nProxy-Authorization: basic dTpwOjE=\r\n\r\n");
  EXPECT_EQ(outcome->target, "a:80");
  EXPECT_EQ(outcome->credentials, "u:p:1");
}

TEST(ProxyRequest, lets_a_client_speak_something_else) {
  const auto outcome = read(
      "GET http://a/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_THAT(outcome->forwarded,
              AllOf(HasSubstr("Connection: upgrade\r\n"), HasSubstr("Upgrade: websocket\r\n")));
}

TEST(ProxyRequest, keeps_the_credentials_from_the_origin) {
  const auto outcome =
      read("GET http://a/ HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic dTpwOjE=\r\n\r\n");
  EXPECT_EQ(outcome->credentials, "u:p:1");
  EXPECT_THAT(outcome->forwarded, Not(HasSubstr("dTpw")));
}

TEST(ProxyRequest, says_what_is_wrong) {
  EXPECT_THAT(read("GET / HTTP/1.1\r\nHost: a\r\n\r\n")->reason, HasSubstr("set it as http_proxy"));
  EXPECT_THAT(read("\x16\x03\x01")->reason, HasSubstr("speaks TLS"));
  EXPECT_THAT(read("\x05\x01")->reason, HasSubstr("SOCKS5"));
  EXPECT_EQ(read("nonsense\r\n\r\n")->refusal, 400U);
  EXPECT_EQ(read("CONNECT a HTTP/1.1\r\n\r\n")->refusal, 400U);
  EXPECT_EQ(read("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n")->refusal, 400U);
  EXPECT_EQ(read(std::string(70'000, 'x'))->refusal, 431U);
}

}  // namespace
}  // namespace http
