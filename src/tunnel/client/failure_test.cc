#include "tunnel/client/failure.h"

#include <gtest/gtest.h>

namespace tunnel::client {
namespace {

TEST(FailureOf, what_a_proxy_says_in_words_for_programs) {
  EXPECT_EQ(kind_of({.status = 502, .proxy_status = "x; error=connection_refused"}),
            Failure::refused);
  EXPECT_EQ(kind_of({.status = 502, .proxy_status = "x; error=destination_not_found"}),
            Failure::no_agent);
  EXPECT_EQ(kind_of({.status = 403, .proxy_status = "x; error=http_request_denied"}),
            Failure::not_allowed);
}

TEST(FailureOf, what_konnectivity_says_in_words_for_people) {
  const auto kind = [](std::string text) { return kind_of({.text = std::move(text)}); };
  EXPECT_EQ(kind("currently no tunnels available: No agent available"), Failure::no_agent);
  EXPECT_EQ(kind("dial tcp 127.0.0.1:1: connect: connection refused"), Failure::refused);
  EXPECT_EQ(kind("dial tcp 198.18.0.254:1234: i/o timeout"), Failure::timed_out);
  EXPECT_EQ(kind("dial tcp: lookup x on 10.0.0.1:53: no such host"), Failure::not_resolved);
  EXPECT_EQ(kind("dial tcp 10.1.1.1:1: connect: network is unreachable"), Failure::unreachable);
  EXPECT_EQ(kind("dial tcp 10.1.1.1:1: connect: no route to host"), Failure::unreachable);
  EXPECT_EQ(kind("socket: too many open files"), Failure::overloaded);
  EXPECT_EQ(kind("timed out waiting for backend dial"), Failure::timed_out);
  EXPECT_EQ(kind("whatever"), Failure::other);
}

TEST(FailureOf, a_status_where_nothing_else_is_said) {
  EXPECT_EQ(kind_of({.status = 403}), Failure::not_allowed);
  EXPECT_EQ(kind_of({.status = 504}), Failure::timed_out);
  EXPECT_EQ(kind_of({.status = 405}), Failure::protocol);
  EXPECT_EQ(kind_of({.status = 500}), Failure::other);
}

TEST(FailureText, has_no_control_characters_of_the_peer) {
  const DialError error = explain({.status = 502, .text = "a\x1b[31m\r\nb\n"}, "t:1", "hub:1");
  EXPECT_EQ(error.message, "cannot connect to t:1: a [31m  b");
}

TEST(FailureText, is_never_empty) {
  EXPECT_EQ(explain({.status = 502}, "t:1", "hub:1").message,
            "cannot connect to t:1: HTTP status 502");
}

}  // namespace
}  // namespace tunnel::client
