#include "net/proxy_environment.h"

#include <gtest/gtest.h>

namespace net {
namespace {

class Proxy : public ::testing::Test {
 protected:
  bool used_for(const std::string& host, std::uint16_t port, const std::string& no_proxy) {
    const ProxyEnvironment environment{"http://proxy:3128", no_proxy};
    return environment.proxy_for({host, port}) == "http://proxy:3128";
  }
};

TEST_F(Proxy, is_used_unless_there_is_none) {
  EXPECT_TRUE(used_for("hub.example", 8091, ""));
  EXPECT_EQ(ProxyEnvironment{}.proxy_for({"hub.example", 8091}), "");
}

TEST_F(Proxy, without_scheme_is_an_http_proxy) {
  const ProxyEnvironment environment{"user:word@proxy:3128", ""};
  EXPECT_EQ(environment.proxy_for({"hub.example", 8091}), "http://user:word@proxy:3128");
}

TEST_F(Proxy, is_never_used_for_loopback) {
  EXPECT_FALSE(used_for("localhost", 1, ""));
  EXPECT_FALSE(used_for("127.3.2.1", 1, ""));
  EXPECT_FALSE(used_for("::1", 1, ""));
}

TEST_F(Proxy, is_not_used_for_names_and_those_below_them) {
  EXPECT_FALSE(used_for("hub.example", 1, "other, hub.example"));
  EXPECT_FALSE(used_for("a.HUB.example", 1, "Hub.Example"));
  EXPECT_TRUE(used_for("nothub.example", 1, "hub.example"));
  EXPECT_FALSE(used_for("a.hub.example", 1, ".hub.example"));
  EXPECT_TRUE(used_for("hub.example", 1, ".hub.example"));
  EXPECT_FALSE(used_for("a.hub.example", 1, "*.hub.example"));
  EXPECT_FALSE(used_for("anything", 1, ",,*"));
}

TEST_F(Proxy, is_not_used_for_addresses_and_networks) {
  EXPECT_FALSE(used_for("10.1.2.3", 1, "10.1.2.3"));
  EXPECT_FALSE(used_for("10.1.2.3", 1, "10.0.0.0/8"));
  EXPECT_TRUE(used_for("11.1.2.3", 1, "10.0.0.0/8"));
  EXPECT_FALSE(used_for("fd00::7", 1, "fd00::/8"));
  EXPECT_FALSE(used_for("fd00::7", 1, "fd00:0::7"));
  EXPECT_TRUE(used_for("fd00::7", 1, "10.0.0.0/8"));
}

TEST_F(Proxy, is_not_used_for_one_port_of_a_host) {
  EXPECT_FALSE(used_for("hub.example", 8091, "hub.example:8091"));
  EXPECT_TRUE(used_for("hub.example", 443, "hub.example:8091"));
  EXPECT_FALSE(used_for("fd00::7", 443, "[fd00::7]:443"));
  EXPECT_TRUE(used_for("fd00::7", 444, "[fd00::7]:443"));
}

}  // namespace
}  // namespace net
