#include "net/connect_attempt.h"

#include <cerrno>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/post.hpp>

namespace net {
namespace {

namespace asio = boost::asio;
using base::Result;

int error_of(int descriptor) {
  int error = 0;
  socklen_t length = sizeof(error);
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

}  // namespace

ConnectAttempt::ConnectAttempt(async::Executor executor, const asio::ip::tcp::endpoint& endpoint)
    : endpoint_(endpoint),
      descriptor_(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                           IPPROTO_TCP)),
      waiting_(executor) {
  const auto length = static_cast<socklen_t>(endpoint_.size());
  const bool begun = descriptor_ >= 0 && (::connect(descriptor_, endpoint_.data(), length) == 0 ||
                                          errno == EINPROGRESS);
  if (!begun) outcome_ = errno;
}

ConnectAttempt::~ConnectAttempt() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<int> ConnectAttempt::outcome() {
  if (outcome_) return outcome_;
  pollfd asked{waiting_.is_open() ? waiting_.native_handle() : descriptor_, POLLOUT, 0};
  if (::poll(&asked, 1, 0) != 1) return std::nullopt;
  const bool failed = (asked.revents & (POLLERR | POLLHUP)) != 0;
  outcome_ = failed ? error_of(asked.fd) : 0;
  return outcome_;
}

void ConnectAttempt::wait(std::function<void()> then) {
  if (!waiting_.is_open() && !hand_to(waiting_)) return asio::post(waiting_.get_executor(), then);
  waiting_.async_wait(Socket::wait_write, [then = std::move(then)](auto) { then(); });
}

// Registered anew: a registration that has waited for a connect wakes its loop needlessly, since
// it reports at each later wait that the socket is writable.
Result<Socket> ConnectAttempt::take() {
  boost::system::error_code ignored;
  if (waiting_.is_open()) descriptor_ = waiting_.release(ignored);
  Socket fresh(waiting_.get_executor());
  if (hand_to(fresh)) return fresh;
  return base::fail(base::system_error(*outcome_, "connect").within("dial tcp"));
}

bool ConnectAttempt::hand_to(Socket& socket) {
  boost::system::error_code error;
  socket.assign(endpoint_.protocol(), descriptor_, error);
  if (error) {
    outcome_ = error.value();
  } else {
    descriptor_ = -1;
  }
  return !error;
}

}  // namespace net
