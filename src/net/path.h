#pragma once

#include <chrono>

namespace net {

/// The shortest round trip of a TCP connection in the last minutes, by its descriptor (TCP_INFO,
/// tcp(7)); zero where it is not known, and for every other socket. Any thread.
std::chrono::microseconds shortest_round_trip(int descriptor);

}  // namespace net
