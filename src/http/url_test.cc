#include "http/url.h"

#include <gtest/gtest.h>

namespace http {
namespace {

TEST(Url, splits_host_port_path_and_query) {
  const auto url = parse_url("https://api.example:6443/base/x?a=1&b=2#frag");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin, (Origin{true, "api.example", 6443}));
  EXPECT_EQ(url->path, "/base/x");
  EXPECT_EQ(url->query, "a=1&b=2");
}

TEST(Url, knows_the_port_of_its_scheme) {
  EXPECT_EQ(parse_url("http://a")->origin, (Origin{false, "a", 80}));
  EXPECT_EQ(parse_url("https://a/")->origin.authority(), "a");
  EXPECT_EQ(parse_url("https://a:8443")->origin.authority(), "a:8443");
}

TEST(Url, takes_brackets_off_an_ipv6_host) {
  const auto url = parse_url("https://[::1]:6443");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin.host, "::1");
  EXPECT_EQ(url->origin.address(), "[::1]:6443");
}

TEST(Url, keeps_the_user_info_of_a_proxy_out_of_errors) {
  const auto url = parse_url("http://user:pa%40ss@proxy:3128");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->user_info, "user:pa%40ss");
  const auto bad = parse_url("http://user:secret@proxy:port");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "URL \"proxy:port\": \":port\" is not a port");
}

TEST(Url, refuses_what_is_not_a_url) {
  for (const auto* text : {"", "ftp://a", "https://", "https://a:0", "https://a:70000",
                           "https://[::1", "https://a b/", "a:443", "https://a\r\nx"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(Url, percent_encoding_round_trips) {
  EXPECT_EQ(percent_encode("a b/c=d~e"), "a%20b%2Fc%3Dd~e");
  EXPECT_EQ(percent_decode("a%20b%2fc%"), "a b/c%");
}

TEST(Url, query_leaves_out_empty_values_when_asked) {
  Query query;
  query.add("watch", "true");
  query.add_if("labelSelector", "");
  query.add_if("fieldSelector", "metadata.name=x");
  EXPECT_EQ(query.text(), "watch=true&fieldSelector=metadata.name%3Dx");
}

}  // namespace
}  // namespace http
