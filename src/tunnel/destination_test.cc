#include "tunnel/destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tunnel/glob.h"

namespace tunnel {
namespace {

using ::testing::HasSubstr;

std::vector<DestinationPattern> patterns(const std::vector<std::string>& texts) {
  std::vector<DestinationPattern> parsed;
  for (const std::string& text : texts) {
    auto pattern = DestinationPattern::parse(text);
    EXPECT_TRUE(pattern) << text << ": " << pattern.error().message;
    if (pattern) parsed.push_back(*std::move(pattern));
  }
  return parsed;
}

bool matches(const std::string& pattern, const std::string& host, std::uint16_t port = 443) {
  return patterns({pattern}).front().matches(net::HostPort{host, port});
}

std::string error_of(const std::string& pattern) {
  const auto parsed = DestinationPattern::parse(pattern);
  return parsed ? "accepted" : parsed.error().message;
}

TEST(Glob, matches_any_bytes_by_a_star_and_one_by_a_question_mark) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("a*b*c", "axxbyybzc"));
  EXPECT_FALSE(matches_glob("a*b*c", "axxbyybz"));
  EXPECT_TRUE(matches_glob("c?", "c1"));
  EXPECT_FALSE(matches_glob("c?", "c"));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_TRUE(matches_glob("", ""));
}

TEST(Destination, names_are_compared_without_case_and_final_dot) {
  EXPECT_TRUE(matches("*.Example.com", "API.example.COM."));
  EXPECT_FALSE(matches("*.example.com", "example.com"));
  EXPECT_FALSE(matches("*.example.com", "a.example.com.evil.net"));
  EXPECT_TRUE(matches("localhost", ""));
}

TEST(Destination, every_host_means_addresses_too) {
  EXPECT_TRUE(matches("*", "10.0.0.1"));
  EXPECT_TRUE(matches("*:443", "::1"));
  EXPECT_FALSE(matches("*:22", "::1"));
}

TEST(Destination, addresses_are_compared_by_their_bits) {
  EXPECT_TRUE(matches("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(matches("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(matches("192.168.4.0/22", "192.168.7.9"));
  EXPECT_FALSE(matches("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(matches("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(matches("0.0.0.0/0", "::1"));
  EXPECT_TRUE(matches("[fd00::/8]:443", "fdff::1"));
  EXPECT_TRUE(matches("fd00::1", "fd00:0::1"));
  EXPECT_FALSE(matches("10.0.0.0/8", "ten.example.com"));
}

TEST(Destination, ipv4_inside_ipv6_is_ipv4) {
  EXPECT_TRUE(matches("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(matches("::ffff:10.0.0.0/104", "10.1.2.3"));
}

TEST(Destination, ports_are_one_or_a_range) {
  EXPECT_TRUE(matches("a:80", "a", 80));
  EXPECT_FALSE(matches("a:80", "a", 81));
  EXPECT_TRUE(matches("[::1]:8000-8100", "::1", 8100));
  EXPECT_FALSE(matches("[::1]:8000-8100", "::1", 8101));
}

TEST(Destination, says_what_is_wrong_and_how_it_is_written) {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"", "the host is missing"},
           {":80", "the host is missing"},
           {"a:", "is no port"},
           {"a:0", "is no port"},
           {"a:9-8", "is no port"},
           {"a:65536", "is no port"},
           {"10.0.0.0/33", "/0 to /32"},
           {"fd00::/129", "/0 to /128"},
           {"a/8", "is no address"},
           {"10.0.*", "looks like addresses"},
           {"[::1", "not closed"},
           {"[a]:80", "only an IPv6 address"},
           {"[::1]80", "after the bracket"},
           {"a b", "neither a name nor an address"},
           {"::ffff:0.0.0.0/90", "IPv4 and IPv6 in one"}}) {
    EXPECT_THAT(error_of(text), HasSubstr(why)) << text;
    EXPECT_THAT(error_of(text), HasSubstr("want HOST[:PORT]")) << text;
  }
}

class Rules : public ::testing::Test {
 protected:
  // Of a dial of `host` that resolves to `address`: "ok", or why not.
  static std::string verdict(const DestinationRules& rules, const std::string& host,
                             const std::string& address, std::uint16_t port = 443) {
    const net::HostPort target{host, port};
    if (auto checked = rules.check_target(target); !checked) return checked.error().message;
    auto checked = rules.check_address(target, boost::asio::ip::make_address(address));
    if (checked) return "ok";
    EXPECT_EQ(checked.error().code, base::Code::forbidden);
    return checked.error().message;
  }
};

TEST_F(Rules, without_any_everything_is_allowed) {
  EXPECT_EQ(verdict(DestinationRules({}, {}), "a", "10.0.0.1"), "ok");
}

TEST_F(Rules, deny_wins) {
  const DestinationRules rules(patterns({"*"}), patterns({"*.internal", "169.254.0.0/16"}));
  EXPECT_EQ(verdict(rules, "a.example", "1.2.3.4"), "ok");
  EXPECT_THAT(verdict(rules, "meta.internal", "1.2.3.4"),
              HasSubstr("meta.internal:443 is not allowed: the agent has "
                        "--deny-destination=*.internal"));
  EXPECT_THAT(verdict(rules, "169.254.169.254", "169.254.169.254"), HasSubstr(kNotAllowed));
}

TEST_F(Rules, a_name_does_not_lead_around_a_range) {
  const DestinationRules rules({}, patterns({"10.0.0.0/8"}));
  EXPECT_THAT(verdict(rules, "harmless.example", "10.0.0.7"),
              HasSubstr("is not allowed: its address 10.0.0.7 falls under"));
  EXPECT_THAT(verdict(rules, "harmless.example", "::ffff:10.0.0.7"), HasSubstr(kAddressNotAllowed));
  EXPECT_EQ(verdict(rules, "harmless.example", "11.0.0.7"), "ok");
}

TEST_F(Rules, what_is_not_allowed_is_denied_where_anything_is_allowed) {
  const DestinationRules rules(patterns({"*.svc:443", "10.0.0.0/8"}), {});
  EXPECT_EQ(verdict(rules, "a.svc", "192.168.0.1"), "ok");
  EXPECT_EQ(verdict(rules, "other", "10.1.1.1"), "ok");
  EXPECT_THAT(verdict(rules, "other", "192.168.0.1"),
              HasSubstr("matches no --allow-destination of the agent"));
  EXPECT_THAT(verdict(rules, "192.168.0.1", "192.168.0.1"), HasSubstr("no --allow-destination"));
}

TEST_F(Rules, a_name_that_no_address_could_allow_is_not_looked_up) {
  const DestinationRules rules(patterns({"*.svc:443", "10.0.0.0/8:80"}), {});
  EXPECT_FALSE(rules.check_target({"other", 443}));
  EXPECT_TRUE(rules.check_target({"other", 80}));
}

}  // namespace
}  // namespace tunnel
