#include "tunnel/local/bench_helper.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace tunnel::local {
namespace {

using async::Task;
using base::Code;
using base::Result;

constexpr std::string_view kGreeting = "cluster-proxy-bench/1";
constexpr std::array<std::pair<BenchJob, std::string_view>, 3> kJobs = {
    {{BenchJob::echo, "echo"}, {BenchJob::discard, "discard"}, {BenchJob::chargen, "chargen"}}};
constexpr std::size_t kCountEvery = 256 * 1024;  // bytes between two lines of discard

using Stream = std::unique_ptr<net::Stream>;

Task<std::string> read_line(net::Stream& stream) {
  constexpr std::size_t kLongest = 64;
  std::string line;
  for (;;) {
    std::uint8_t byte = 0;
    CO_TRY(const std::size_t count, co_await stream.read_some({&byte, 1}));
    if (count == 0 || line.size() == kLongest) co_return base::fail(Code::invalid, "no request");
    if (byte == '\n') co_return line;
    line += static_cast<char>(byte);
  }
}

Task<void> echo(net::Stream& stream) {
  std::vector<std::uint8_t> block(base::Buffer::kBlock);
  for (;;) {
    CO_TRY(const std::size_t count, co_await stream.read_some(block));
    if (count == 0) co_return co_await stream.shutdown_write();
    CO_TRY_VOID(co_await stream.write_all(base::Bytes(block).first(count)));
  }
}

Task<void> discard(net::Stream& stream) {
  std::vector<std::uint8_t> block(4 * base::Buffer::kBlock);
  std::uint64_t total = 0;
  std::uint64_t told = 0;
  for (;;) {
    CO_TRY(const std::size_t count, co_await stream.read_some(block));
    if (count == 0) co_return co_await stream.shutdown_write();
    total += count;
    if (total - told < kCountEvery) continue;
    told = total;
    const std::string line = fmt::format("{}\n", total);
    CO_TRY_VOID(co_await stream.write_all(base::as_bytes(line)));
  }
}

// A connection without a request is one of those that only measure how long it takes to get here.
Task<void> serve(Stream stream) {
  auto line = co_await read_line(*stream);
  if (!line) co_return Result<void>{};
  for (const auto& [job, name] : kJobs) {
    if (*line != fmt::format("{} {}", kGreeting, name)) continue;
    switch (job) {
      case BenchJob::echo:
        co_return co_await echo(*stream);
      case BenchJob::discard:
        co_return co_await discard(*stream);
      case BenchJob::chargen:
        co_return co_await write_for_ever(*stream);
    }
  }
  co_return base::fail(Code::invalid, "unknown request");
}

}  // namespace

Task<void> write_for_ever(net::Stream& stream) {
  const std::string block(base::Buffer::kBlock, '#');
  for (;;) CO_TRY_VOID(co_await stream.write_all(base::as_bytes(block)));
}

std::string bench_request(BenchJob job) {
  return fmt::format("{} {}\n", kGreeting, kJobs.at(static_cast<std::size_t>(job)).second);
}

Port::Serve bench_helper() {
  return [](Stream stream) { return serve(std::move(stream)); };
}

}  // namespace tunnel::local
