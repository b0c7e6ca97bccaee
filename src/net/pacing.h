#pragma once

#include <chrono>
#include <string_view>

namespace net {

/// Whether `control`, the name of a TCP congestion control, paces what it sends though the path is
/// too short for that to be of use. Zero is a round trip that is not known.
bool paces_in_vain(std::string_view control, std::chrono::microseconds round_trip);

/// Takes a connected TCP socket, by its descriptor, off a congestion control that paces in vain,
/// onto one that every process may choose; leaves all others, and Unix sockets, alone. What the
/// system refuses stays as it was. Any thread.
void stop_vain_pacing(int descriptor);

}  // namespace net
