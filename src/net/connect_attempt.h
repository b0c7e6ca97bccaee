#pragma once

#include <functional>
#include <optional>

#include <boost/asio/ip/tcp.hpp>

#include "net/socket_stream.h"

namespace net {

/// One attempt to connect a TCP socket. What is on this machine, or in a pod of this node, has
/// answered by the time the system call returns: then nobody waits for the loop. Destroyed, it ends
/// unanswered. Owns its socket until take(). Thread: that of the loop.
class ConnectAttempt {
 public:
  ConnectAttempt(async::Executor executor, const boost::asio::ip::tcp::endpoint& endpoint);
  ~ConnectAttempt();
  ConnectAttempt(const ConnectAttempt&) = delete;
  ConnectAttempt& operator=(const ConnectAttempt&) = delete;

  const boost::asio::ip::tcp::endpoint& endpoint() const { return endpoint_; }
  /// As an errno, 0 = connected; nothing while the peer has not answered.
  std::optional<int> outcome();
  /// Calls `then` from the loop once: when outcome() may have changed, or after the attempt was
  /// destroyed.
  void wait(std::function<void()> then);
  /// The socket, once, after it has connected.
  base::Result<Socket> take();

 private:
  bool hand_to(Socket& socket);

  const boost::asio::ip::tcp::endpoint endpoint_;
  int descriptor_ = -1;  // until the loop knows of it
  Socket waiting_;
  std::optional<int> outcome_;
};

}  // namespace net
