#include "net/pacing.h"

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/path.h"

namespace net {
namespace {

constexpr std::size_t kLongestName = 16;  // TCP_CA_NAME_MAX

// cubic would do as well, but is not allowed to everybody everywhere
// (tcp_allowed_congestion_control).
constexpr std::string_view kUnpaced = "reno";

std::string_view read_control(int descriptor, std::array<char, kLongestName>& name) {
  socklen_t length = name.size() - 1;
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, name.data(), &length) != 0) return {};
  return name.data();
}

}  // namespace

bool paces_in_vain(std::string_view control, std::chrono::microseconds round_trip) {
  constexpr std::chrono::microseconds kShort(1000);
  return control.starts_with("bbr") && round_trip.count() > 0 && round_trip < kShort;
}

void stop_vain_pacing(int descriptor) {
  std::array<char, kLongestName> name{};
  const std::string_view control = read_control(descriptor, name);
  if (control.empty() || !paces_in_vain(control, shortest_round_trip(descriptor))) return;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION, kUnpaced.data(), kUnpaced.size());
}

}  // namespace net
