#include "tunnel/testing/native_fuzz.h"

#include <algorithm>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "tunnel/native.h"

namespace tunnel::testing {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::size_t kFrameHead = 9;

void raise_loopback() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::ranges::copy(std::string_view("lo"), request.ifr_name);
  request.ifr_flags = IFF_UP;
  CHECK(::ioctl(socket, SIOCSIFFLAGS, &request) == 0);
  ::close(socket);
}

// The length of the first frame, or of all that is left.
std::size_t first_frame(std::string_view text) {
  if (text.starts_with(kPreface)) return kPreface.size();
  if (text.size() < kFrameHead) return text.size();
  std::size_t length = 0;
  for (const char c : text.substr(0, 3)) length = length << 8 | static_cast<std::uint8_t>(c);
  return std::min(text.size(), length + kFrameHead);
}

}  // namespace

void prepare_native_fuzzing() {
  CHECK(base::log::configure({.level = base::log::Level::off}).has_value());
  const bool alone = ::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
  CHECK(alone);
  raise_loopback();
}

void say_frames(NativeWorld& world, Wire& wire, base::Bytes bytes,
                const std::function<void(int)>& after_each) {
  std::string_view rest = base::as_text(bytes);
  for (int number = 0; !rest.empty(); ++number) {
    const std::size_t size = first_frame(rest);
    wire.say(std::string(rest.substr(0, size)));
    rest.remove_prefix(size);
    world.settle();
    after_each(number);
  }
}

void fall_silent(NativeWorld& world) {
  for (int interval = 0; interval <= native::kPatience.lost; ++interval) {
    world.advance(native::kPingInterval);
    world.settle();
  }
}

}  // namespace tunnel::testing
