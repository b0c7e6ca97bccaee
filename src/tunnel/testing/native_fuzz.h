#pragma once

#include <functional>
#include <string_view>

#include "base/bytes.h"
#include "tunnel/testing/native_fixture.h"

namespace tunnel::testing {

/// The port on which the target of a fuzzed agent listens.
inline constexpr std::uint16_t kFuzzPort = 7000;

/// Once for a process: no log, and a network of its own with nothing but loopback, since fuzzed
/// bytes may ask an agent to dial anything.
void prepare_native_fuzzing();

/// Says the bytes through `wire`, one HTTP/2 frame after the other, or what is left where they are
/// none; `after_each` is called with the number of each.
void say_frames(NativeWorld& world, Wire& wire, base::Bytes bytes,
                const std::function<void(int)>& after_each);

/// Lets time pass in which no wire says anything, until an end that waits for pings has given up.
void fall_silent(NativeWorld& world);

}  // namespace tunnel::testing
