#include "tunnel/proxy_status.h"

#include <gtest/gtest.h>

#include "http/h2_session.h"

namespace tunnel {
namespace {

using base::Code;

std::string header(const http::Headers& headers, std::string_view name) {
  const std::string* value = http::find(headers, name);
  return value == nullptr ? "(none)" : *value;
}

TEST(ProxyStatus, carries_the_text_of_a_dial_error) {
  const base::Error error{Code::refused,
                          "dial tcp 10.0.0.1:1: connect: \"connection\\refused\"; a=b, c"};
  const http::Headers headers = dial_failure_headers(error);
  EXPECT_EQ(header(headers, ":status"), "502");
  EXPECT_EQ(dial_failure_text(headers), error.message);
  EXPECT_EQ(proxy_status_parameter(header(headers, "proxy-status"), "error"), "connection_refused");
}

TEST(ProxyStatus, tells_kinds_of_failure_apart) {
  const auto kind = [](Code code, std::string text) {
    const http::Headers headers = dial_failure_headers({code, std::move(text)});
    return header(headers, ":status") + " " +
           proxy_status_parameter(header(headers, "proxy-status"), "error");
  };
  EXPECT_EQ(kind(Code::timeout, "dial tcp 198.18.0.1:1: i/o timeout"), "504 connection_timeout");
  EXPECT_EQ(kind(Code::timeout, "dial tcp: lookup x: i/o timeout"), "504 dns_timeout");
  EXPECT_EQ(kind(Code::not_found, "dial tcp: lookup x: no such host"), "502 dns_error");
  EXPECT_EQ(kind(Code::exhausted, "socket: too many open files"), "503 connection_limit_reached");
  EXPECT_EQ(kind(Code::io, "connect: no route to host"), "502 destination_ip_unroutable");
  EXPECT_EQ(kind(Code::invalid, "unknown network udp"), "502 http_request_error");
  EXPECT_EQ(kind(Code::io, "connect: permission denied"), "502 destination_unavailable");
  EXPECT_EQ(kind(Code::forbidden, "connect: permission denied"), "502 destination_unavailable");
  EXPECT_EQ(kind(Code::forbidden, "destination a:1 is not allowed: the agent has ..."),
            "403 http_request_denied");
  EXPECT_EQ(kind(Code::forbidden, "destination a:1 is not allowed: its address 10.0.0.1 ..."),
            "403 destination_ip_prohibited");
}

TEST(ProxyStatus, reads_what_others_may_write) {
  EXPECT_EQ(proxy_status_parameter("x", "details"), "");
  EXPECT_EQ(proxy_status_parameter("", "details"), "");
  EXPECT_EQ(proxy_status_parameter("\"a b\" ;received-status;details=\"d", "details"), "d");
  EXPECT_EQ(proxy_status_parameter("x; error=a, y; details=\"no\"", "details"), "");
  EXPECT_EQ(dial_failure_text({{":status", "503"}}), "the agent answered the dial with status 503");
}

TEST(ProxyStatus, is_plain_text) {
  const http::Headers headers = dial_failure_headers({Code::io, "caf\xc3\xa9\r\nx"});
  EXPECT_EQ(dial_failure_text(headers), "caf????x");
}

}  // namespace
}  // namespace tunnel
