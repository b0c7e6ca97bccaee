#include "tunnel/identifiers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Identifiers parsed(std::string_view query, UnknownKeys unknown = UnknownKeys::refuse) {
  auto result = parse_identifiers(query, unknown);
  EXPECT_TRUE(result.has_value()) << query;
  return result.value_or(Identifiers{});
}

std::string refusal(std::string_view query, UnknownKeys unknown = UnknownKeys::refuse) {
  auto result = parse_identifiers(query, unknown);
  EXPECT_FALSE(result.has_value()) << query;
  return result ? "" : result.error().message;
}

TEST(Identifiers, keeps_every_value_of_every_kind_in_order) {
  const Identifiers ids =
      parsed("host=b&ipv4=10.0.0.4&host=a&ipv6=fd00::4&cidr=10.0.0.0/8&default-route=true");
  EXPECT_THAT(ids.host, ElementsAre("b", "a"));
  EXPECT_THAT(ids.ipv4, ElementsAre("10.0.0.4"));
  EXPECT_THAT(ids.ipv6, ElementsAre("fd00::4"));
  EXPECT_THAT(ids.cidr, ElementsAre("10.0.0.0/8"));
  EXPECT_TRUE(ids.default_route);
}

TEST(Identifiers, of_nothing_are_none) {
  EXPECT_EQ(parsed(""), Identifiers{});
  EXPECT_EQ(parsed("&&"), Identifiers{});
}

TEST(Identifiers, take_an_unexpanded_variable_as_it_is) {
  EXPECT_THAT(parsed("ipv4=${HOST_IP}").ipv4, ElementsAre("${HOST_IP}"));
  EXPECT_THAT(parsed("ipv4=$(HOST_IP)").ipv4, ElementsAre("$(HOST_IP)"));
}

TEST(Identifiers, decode_percent_and_plus) {
  EXPECT_THAT(parsed("h%6fst=a+b%2Bc%3d").host, ElementsAre("a b+c="));
  EXPECT_THAT(parsed("host=a=b").host, ElementsAre("a=b"));
  EXPECT_THAT(parsed("host").host, ElementsAre(""));
}

TEST(Identifiers, count_only_the_first_default_route) {
  EXPECT_TRUE(parsed("default-route=1&default-route=false").default_route);
  EXPECT_FALSE(parsed("default-route=false&default-route=true").default_route);
  EXPECT_FALSE(parsed("default-route=yes").default_route);
}

TEST(Identifiers, refuse_what_go_refuses) {
  EXPECT_THAT(refusal("host=a;b"), HasSubstr("semicolon"));
  EXPECT_THAT(refusal("host=%zz"), HasSubstr("invalid URL escape \"%zz\""));
  EXPECT_THAT(refusal("host=%4"), HasSubstr("invalid URL escape \"%4\""));
  EXPECT_THAT(refusal("%=x", UnknownKeys::ignore), HasSubstr("invalid URL escape \"%\""));
}

TEST(Identifiers, know_their_keys_on_the_agent_and_ignore_others_on_the_server) {
  EXPECT_THAT(refusal("uid=7"), HasSubstr("unknown address type: \"uid\""));
  EXPECT_THAT(parsed("uid=7&host=a", UnknownKeys::ignore).host, ElementsAre("a"));
}

}  // namespace
}  // namespace tunnel
