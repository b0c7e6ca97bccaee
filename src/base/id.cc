#include "base/id.h"

#include <array>
#include <random>
#include <unistd.h>

#include <fmt/format.h>

namespace base {

std::uint64_t random_u64() {
  static thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(),
                       device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return generator();
}

std::string random_uuid() {
  const std::uint64_t high = (random_u64() & 0xffffffffffff0fffULL) | 0x4000ULL;
  const std::uint64_t low = (random_u64() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff,
                     high & 0xffff, low >> 48, low & 0xffffffffffffULL);
}

std::int64_t random_dial_id() {
  std::int64_t id = 0;
  while (id == 0) id = static_cast<std::int64_t>(random_u64() >> 1);
  return id;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown-host";
}

}  // namespace base
