#pragma once

#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/check.h"

namespace tunnel::testing {

/// An address on loopback that never answers: its queue of connections is full.
class SilentTarget {
 public:
  SilentTarget() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(local);
    auto* address = reinterpret_cast<sockaddr*>(&local);
    CHECK(::bind(listener_, address, length) == 0 && ::listen(listener_, 0) == 0);
    CHECK(::getsockname(listener_, address, &length) == 0);
    address_ = fmt::format("127.0.0.1:{}", ntohs(local.sin_port));
    filler_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(::connect(filler_, address, length) == 0);
  }
  ~SilentTarget() {
    ::close(filler_);
    ::close(listener_);
  }
  SilentTarget(const SilentTarget&) = delete;
  SilentTarget& operator=(const SilentTarget&) = delete;

  const std::string& address() const { return address_; }

 private:
  int listener_;
  int filler_ = -1;
  std::string address_;
};

}  // namespace tunnel::testing
