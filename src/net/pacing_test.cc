#include "net/pacing.h"

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "net/path.h"

namespace net {
namespace {

using namespace std::chrono_literals;

TEST(Pacing, is_in_vain_on_a_short_path_only) {
  EXPECT_TRUE(paces_in_vain("bbr", 200us));
  EXPECT_TRUE(paces_in_vain("bbr2", 999us));
  EXPECT_FALSE(paces_in_vain("bbr", 1ms));
  EXPECT_FALSE(paces_in_vain("bbr", 80ms));
}

TEST(Pacing, is_left_alone_where_the_round_trip_is_not_known) {
  EXPECT_FALSE(paces_in_vain("bbr", 0us));
}

TEST(Pacing, is_not_what_others_do) {
  EXPECT_FALSE(paces_in_vain("cubic", 50us));
  EXPECT_FALSE(paces_in_vain("dctcp", 50us));
}

// Both ends of a TCP connection over loopback.
class ConnectedPair : public ::testing::Test {
 protected:
  ConnectedPair() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* name = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof(address);
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::bind(listener, name, length), 0);
    EXPECT_EQ(::listen(listener, 1), 0);
    EXPECT_EQ(::getsockname(listener, name, &length), 0);
    client_ = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(client_, name, length), 0);
    server_ = ::accept(listener, nullptr, nullptr);
    ::close(listener);
  }
  ~ConnectedPair() override {
    ::close(client_);
    ::close(server_);
  }

  static bool choose(int descriptor, const std::string& control) {
    return ::setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, control.data(),
                        static_cast<socklen_t>(control.size())) == 0;
  }
  static std::string chosen(int descriptor) {
    std::array<char, 16> name{};
    socklen_t length = name.size();
    EXPECT_EQ(::getsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, name.data(), &length), 0);
    return name.data();
  }

  int client_ = -1, server_ = -1;
};

TEST_F(ConnectedPair, is_taken_off_bbr_at_both_ends) {
  if (!choose(client_, "bbr") || !choose(server_, "bbr")) GTEST_SKIP() << "this kernel has no bbr";
  stop_vain_pacing(client_);
  stop_vain_pacing(server_);
  EXPECT_EQ(chosen(client_), "reno");
  EXPECT_EQ(chosen(server_), "reno");
}

TEST_F(ConnectedPair, keeps_what_does_not_pace) {
  if (!choose(client_, "cubic")) GTEST_SKIP() << "this process may not choose cubic";
  stop_vain_pacing(client_);
  EXPECT_EQ(chosen(client_), "cubic");
}

TEST_F(ConnectedPair, has_a_round_trip_at_both_ends) {
  EXPECT_GT(shortest_round_trip(client_), 0us);
  EXPECT_GT(shortest_round_trip(server_), 0us);
}

TEST_F(ConnectedPair, is_no_matter_for_a_unix_socket) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  stop_vain_pacing(ends[0]);
  EXPECT_EQ(shortest_round_trip(ends[0]), 0us);
  EXPECT_EQ(::write(ends[0], "x", 1), 1);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace net
