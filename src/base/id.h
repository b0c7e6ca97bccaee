#pragma once

#include <cstdint>
#include <string>

namespace base {

/// A random UUID of version 4 (RFC 9562), for example 0b8f6c1e-....
std::string random_uuid();

/// Uniform over all values, from the operating system's random source once, then a per-thread
/// generator.
std::uint64_t random_u64();

/// A non-negative 63-bit number, never 0: what konnectivity calls a dial's `random`.
std::int64_t random_dial_id();

/// What this machine, or this pod, calls itself.
std::string host_name();

}  // namespace base
