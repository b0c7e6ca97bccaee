#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/common_config.h"
#include "base/result.h"
#include "net/tls.h"

/// Rules that values of flags must keep. Errors name the flag, its value, the rule and the way out.
namespace cli {

/// The error of a flag with a wrong value: `invalid --mode=x: want grpc or http-connect`.
std::unexpected<base::Error> bad_flag(std::string_view flag, std::string_view value,
                                      std::string_view rule);

struct PortRange {
  std::int64_t first = 1;
  std::int64_t last = 65535;
};
base::Result<std::uint16_t> check_port(std::string_view flag, std::int64_t value, PortRange range);

/// "host:port", or ":port" for all interfaces.
base::Result<app::ListenAddress> check_listen(std::string_view flag, const std::string& text);

/// "[ADDRESS:]PORT" of a port for users of this machine: without an address loopback, "*" for all
/// interfaces; port 0 lets the system choose. The error is the rule alone.
base::Result<app::ListenAddress> parse_local(const std::string& text);

base::Result<int> check_positive(std::string_view flag, std::int64_t value);
/// `zero_means` tells what 0 does.
base::Result<void> check_not_negative(std::string_view flag, async::Duration value,
                                      std::string_view zero_means);

/// An empty path is fine: the flag is off. Otherwise a readable file must be there, no directory.
base::Result<void> check_readable(std::string_view flag, const std::string& path);
/// Each of the two requires the other; both must be readable.
base::Result<void> check_pair(std::string_view cert_flag, const std::string& cert,
                              std::string_view key_flag, const std::string& key);

/// --threads: 0 is the number of usable cores.
base::Result<std::size_t> check_threads(std::int64_t count);

constexpr async::Duration kBusyPoll = std::chrono::microseconds(300);
constexpr char kBusyPollUsage[] =
    "How long a thread that has just handled small messages looks for more before it sleeps: it "
    "saves the time to be woken and costs processor time. 0 means not at all, as by default where "
    "a CPU limit or a single core bounds it.";
/// --busy-poll: off where it would do harm, unless it was `given`.
base::Result<async::Duration> check_busy_poll(async::Duration value, bool given);

base::Result<void> check_profiling(const app::ProfilingConfig& profiling);
base::Result<void> check_memory(const app::MemoryLimits& memory);

/// "k=v,k2=v2", spaces around the parts ignored, not empty.
base::Result<std::map<std::string, std::string>> parse_labels(std::string_view flag,
                                                              std::string_view text);

/// What --cipher-suites and --tls-min-version ask for.
struct TlsPolicy {
  net::TlsVersion minimum = net::TlsVersion::v1_2;
  std::vector<std::string> cipher_suites;  // OpenSSL names, TLS 1.2 only
};
/// `suites` are Go's names, out of those that Go counts as secure; `minimum` is "" or VersionTLS10
/// ... VersionTLS13. A list of nothing but TLS 1.3 suites leaves none for TLS 1.2, so that 1.3
/// becomes the minimum.
base::Result<TlsPolicy> parse_tls_policy(const std::vector<std::string>& suites,
                                         const std::string& minimum);

}  // namespace cli
