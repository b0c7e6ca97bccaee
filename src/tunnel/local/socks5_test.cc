#include "tunnel/local/socks5.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunnel::local {
namespace {

using namespace std::string_literals;
using ::testing::HasSubstr;

class Socks5 : public ::testing::Test {
 protected:
  /// The last step that these bytes lead to, fed one by one.
  Socks5Handshake::Step say(const std::string& bytes) {
    Socks5Handshake::Step last;
    for (const char c : bytes) {
      handshake.feed(base::as_bytes(std::string(1, c)));
      while (auto step = handshake.next()) last = *std::move(step);
    }
    return last;
  }

  Socks5Handshake handshake{{}};
};

TEST_F(Socks5, takes_a_name_as_it_is) {
  EXPECT_EQ(say("\x05\x01\x00"s).reply, "\x05\x00"s);
  EXPECT_EQ(say("\x05\x01\x00\x03\x0enginx.cluster1\x00\x50"s).target, "nginx.cluster1:80");
  handshake.feed(base::as_bytes("early"s));
  EXPECT_FALSE(handshake.next());
  EXPECT_EQ(handshake.take_rest(), "early");
}

TEST_F(Socks5, takes_addresses) {
  (void)say("\x05\x01\x00"s);
  EXPECT_EQ(say("\x05\x01\x00\x01\x0a\x00\x00\x07\x1f\x90"s).target, "10.0.0.7:8080");
  handshake = Socks5Handshake({});
  (void)say("\x05\x01\x00"s);
  EXPECT_EQ(say("\x05\x01\x00\x04\xfd"s + std::string(14, '\0') + "\x01\x00\x50"s).target,
            "[fd00::1]:80");
}

TEST_F(Socks5, asks_for_a_password_when_one_is_wanted) {
  handshake = Socks5Handshake({"u", "secret"});
  EXPECT_EQ(say("\x05\x02\x00\x02"s).reply, "\x05\x02"s);
  EXPECT_EQ(say("\x01\x01u\x06secret"s).reply, "\x01\x00"s);
  EXPECT_EQ(say("\x05\x01\x00\x03\x01h\x00\x50"s).target, "h:80");
}

TEST_F(Socks5, refuses_a_wrong_password) {
  handshake = Socks5Handshake({"u", "secret"});
  (void)say("\x05\x01\x02"s);
  const auto step = say("\x01\x01u\x06secreT"s);
  EXPECT_EQ(step.reply, "\x01\x01"s);
  EXPECT_EQ(step.refusal, "wrong user name or password");
  EXPECT_FALSE(Credentials({"u", "secret"}).match("u", ""));
  EXPECT_FALSE(Credentials({"u", "secret"}).match("", "secret"));
  EXPECT_FALSE(Credentials({"u", "secret"}).match("u", "secretsecret"));
}

TEST_F(Socks5, refuses_a_client_that_gives_no_password) {
  handshake = Socks5Handshake({"u", "secret"});
  EXPECT_EQ(say("\x05\x01\x00"s).reply, "\x05\xff"s);
}

TEST_F(Socks5, refuses_what_it_does_not_do) {
  (void)say("\x05\x01\x00"s);
  EXPECT_EQ(say("\x05\x03\x00\x01\x0a\x00\x00\x07\x1f\x90"s).reply[1], 7);
  handshake = Socks5Handshake({});
  (void)say("\x05\x01\x00"s);
  EXPECT_EQ(say("\x05\x01\x00\x09\x00"s).reply[1], 8);
  handshake = Socks5Handshake({});
  (void)say("\x05\x01\x00"s);
  EXPECT_EQ(say("\x05\x01\x00\x03\x03"s + "a:b\x00\x50"s).reply[1], 1);
}

TEST_F(Socks5, knows_other_protocols_by_their_first_byte) {
  EXPECT_THAT(say("\x04"s).refusal, HasSubstr("SOCKS4"));
  handshake = Socks5Handshake({});
  EXPECT_THAT(say("G"s).refusal, HasSubstr("HTTP"));
}

TEST_F(Socks5, tells_the_client_what_comes_nearest) {
  EXPECT_EQ(socks5_reply(std::nullopt)[1], 0);
  EXPECT_EQ(socks5_reply(client::Failure::refused)[1], 5);
  EXPECT_EQ(socks5_reply(client::Failure::no_agent)[1], 4);
}

}  // namespace
}  // namespace tunnel::local
