#include "net/path.h"

#include <limits>
#include <linux/tcp.h>  // not beside <netinet/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace net {

std::chrono::microseconds shortest_round_trip(int descriptor) {
  constexpr auto kUnknown = std::numeric_limits<std::uint32_t>::max();
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return {};
  return std::chrono::microseconds(info.tcpi_min_rtt == kUnknown ? 0 : info.tcpi_min_rtt);
}

}  // namespace net
