#include "net/address.h"

#include <gtest/gtest.h>

namespace net {
namespace {

std::string parsed(std::string_view address) {
  const auto result = parse_host_port(address);
  return result ? result->host + "|" + std::to_string(result->port) : result.error().message;
}

TEST(Address, splits_host_and_port) {
  EXPECT_EQ(parsed("nginx:80"), "nginx|80");
  EXPECT_EQ(parsed("[::1]:443"), "::1|443");
  EXPECT_EQ(parsed(":80"), "|80");
  EXPECT_EQ(parsed("host:https"), "host|443");
}

TEST(Address, speaks_of_errors_as_go_does) {
  EXPECT_EQ(parsed("nginx"), "address nginx: missing port in address");
  EXPECT_EQ(parsed("::1:80"), "address ::1:80: too many colons in address");
  EXPECT_EQ(parsed("[::1]"), "address [::1]: missing port in address");
  EXPECT_EQ(parsed("[::1:80"), "address [::1:80: missing ']' in address");
  EXPECT_EQ(parsed("h:99999"), "address 99999: invalid port");
  EXPECT_EQ(parsed("h:nope"), "lookup tcp/nope: unknown port");
  EXPECT_EQ(parsed(""), "address : missing port in address");
}

TEST(Address, joins_with_brackets_where_needed) {
  EXPECT_EQ(join_host_port("a", 1), "a:1");
  EXPECT_EQ(join_host_port("::1", 1), "[::1]:1");
}

TEST(Address, tells_addresses_from_names) {
  EXPECT_TRUE(is_ip_address("10.0.0.1"));
  EXPECT_TRUE(is_ip_address("fe80::1%eth0"));
  EXPECT_FALSE(is_ip_address("nginx"));
}

}  // namespace
}  // namespace net
