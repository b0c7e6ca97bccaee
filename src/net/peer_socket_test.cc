#include "net/peer_socket.h"

#include <arpa/inet.h>
#include <array>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace net {
namespace {

// Two ends of a connection over loopback.
class PeerSocket : public ::testing::Test {
 protected:
  ~PeerSocket() override {
    for (const int open : {listener_, near, far}) {
      if (open >= 0) ::close(open);
    }
  }
  // The server is a socket of IPv6 that takes IPv4 as well.
  void connect(int family) {
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    socklen_t size = sizeof(any);
    listener_ = ::socket(AF_INET6, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&any), size), 0);
    ASSERT_EQ(::listen(listener_, 1), 0);
    ASSERT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&any), &size), 0);
    far = ::socket(family, SOCK_STREAM, 0);
    ASSERT_EQ(family == AF_INET ? connect_ipv4(any.sin6_port) : connect_ipv6(any.sin6_port), 0);
    near = ::accept(listener_, nullptr, nullptr);
    ASSERT_GE(near, 0);
  }
  void close_far() {
    ::close(far);
    far = -1;
  }
  int near = -1;
  int far = -1;

 private:
  int connect_ipv4(in_port_t port) const {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = port;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(far, reinterpret_cast<sockaddr*>(&at), sizeof(at));
  }
  int connect_ipv6(in_port_t port) const {
    sockaddr_in6 at{};
    at.sin6_family = AF_INET6;
    at.sin6_port = port;
    at.sin6_addr = in6addr_loopback;
    return ::connect(far, reinterpret_cast<sockaddr*>(&at), sizeof(at));
  }

  int listener_ = -1;
};

TEST_F(PeerSocket, is_open_until_it_is_closed) {
  connect(AF_INET);
  EXPECT_FALSE(peer_has_closed(near));
  ::shutdown(far, SHUT_WR);
  EXPECT_FALSE(peer_has_closed(near));
  close_far();
  EXPECT_TRUE(peer_has_closed(near));
}

TEST_F(PeerSocket, is_known_on_ipv6_too) {
  connect(AF_INET6);
  EXPECT_FALSE(peer_has_closed(near));
  close_far();
  EXPECT_TRUE(peer_has_closed(near));
}

TEST_F(PeerSocket, is_not_known_where_there_is_none) {
  EXPECT_FALSE(peer_has_closed(-1));
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  ::close(pair[1]);
  EXPECT_FALSE(peer_has_closed(pair[0]));
  ::close(pair[0]);
}

}  // namespace
}  // namespace net
