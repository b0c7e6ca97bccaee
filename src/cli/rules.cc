#include "cli/rules.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "async/loop_pool.h"
#include "cli/go_values.h"
#include "net/address.h"

namespace cli {
namespace {

using base::Code;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::unexpected<base::Error> bad_flag(std::string_view flag, std::string_view value,
                                      std::string_view rule) {
  const std::string_view shown = value.empty() ? "\"\"" : value;
  return base::fail(Code::invalid, fmt::format("invalid {}={}: {}", flag, shown, rule));
}

base::Result<std::uint16_t> check_port(std::string_view flag, std::int64_t value, PortRange range) {
  if (value >= range.first && value <= range.last) return static_cast<std::uint16_t>(value);
  std::string rule = fmt::format("want a port of {}..{}", range.first, range.last);
  if (value > range.last && value <= 65535)
    rule += "; those above are ephemeral, the system hands them out";
  if (value > 0 && value < range.first) rule += "; those below are reserved";
  return bad_flag(flag, fmt::to_string(value), rule);
}

base::Result<app::ListenAddress> check_listen(std::string_view flag, const std::string& text) {
  auto parsed = net::parse_host_port(text);
  if (!parsed) return bad_flag(flag, text, "want host:port, or :port for all interfaces");
  return app::ListenAddress{std::move(parsed->host), parsed->port};
}

base::Result<app::ListenAddress> parse_local(const std::string& text) {
  const bool bare = text.find(':') == text.npos;
  auto parsed = net::parse_host_port(bare ? ":" + text : text);
  if (!parsed) return base::fail(Code::invalid, parsed.error().message + "; want [ADDRESS:]PORT");
  if (parsed->host.empty()) {
    parsed->host = "127.0.0.1";
  } else if (parsed->host == "*") {
    parsed->host = "";
  }
  return app::ListenAddress{std::move(parsed->host), parsed->port};
}

base::Result<int> check_positive(std::string_view flag, std::int64_t value) {
  if (value > 0 && value <= std::numeric_limits<int>::max()) return static_cast<int>(value);
  return bad_flag(flag, fmt::to_string(value), "must be greater than 0");
}

base::Result<void> check_not_negative(std::string_view flag, async::Duration value,
                                      std::string_view zero_means) {
  if (value >= async::Duration::zero()) return {};
  return bad_flag(flag, format_go_duration(value),
                  fmt::format("must be >= 0; 0 means {}", zero_means));
}

base::Result<void> check_readable(std::string_view flag, const std::string& path) {
  if (path.empty()) return {};
  std::string_view reason = "it is a directory";
  std::error_code unknown;
  if (::access(path.c_str(), R_OK) != 0) {
    reason = std::strerror(errno);
  } else if (!std::filesystem::is_directory(path, unknown)) {
    return {};
  }
  return bad_flag(
      flag, path,
      fmt::format("cannot read the file: {}; check the path, the mount and the permissions",
                  reason));
}

base::Result<void> check_pair(std::string_view cert_flag, const std::string& cert,
                              std::string_view key_flag, const std::string& key) {
  if (cert.empty() && !key.empty()) {
    return bad_flag(key_flag, key,
                    fmt::format("a key needs its certificate; set {} as well", cert_flag));
  }
  if (key.empty() && !cert.empty()) {
    return bad_flag(cert_flag, cert,
                    fmt::format("a certificate needs its key; set {} as well", key_flag));
  }
  TRY_VOID(check_readable(key_flag, key));
  return check_readable(cert_flag, cert);
}

base::Result<void> check_profiling(const app::ProfilingConfig& profiling) {
  if (!profiling.contention || profiling.enabled) return {};
  return bad_flag("--enable-contention-profiling", "true", "--enable-profiling must also be set");
}

base::Result<std::size_t> check_threads(std::int64_t count) {
  constexpr std::int64_t kMost = 64;
  if (count < 0 || count > kMost)
    return bad_flag("--threads", fmt::to_string(count), "want 0 (one for each usable core) to 64");
  return count == 0 ? async::usable_cores() : static_cast<std::size_t>(count);
}

base::Result<async::Duration> check_busy_poll(async::Duration value, bool given) {
  constexpr async::Duration kLongest = std::chrono::milliseconds(10);
  if (value < async::Duration::zero() || value > kLongest)
    return bad_flag("--busy-poll", format_go_duration(value), "want 0 (not at all) to 10ms");
  return given || async::has_cores_to_spare() ? value : async::Duration::zero();
}

base::Result<void> check_memory(const app::MemoryLimits& memory) {
  constexpr std::size_t kLargestWindow = std::size_t{1} << 30;
  constexpr std::size_t kSmallest = std::size_t{64} << 10;
  if (memory.connection < kSmallest) {
    return bad_flag("--connection-buffer-limit", format_byte_size(memory.connection),
                    "want at least 64Ki");
  }
  if (memory.window < kSmallest || memory.window > kLargestWindow) {
    return bad_flag("--native-window-limit", format_byte_size(memory.window),
                    "want 64Ki to 1Gi: windows begin with 64Ki");
  }
  if (memory.process < memory.connection) {
    return bad_flag("--memory-limit", format_byte_size(memory.process),
                    fmt::format("must not be less than --connection-buffer-limit={}",
                                format_byte_size(memory.connection)));
  }
  return {};
}

base::Result<std::map<std::string, std::string>> parse_labels(std::string_view flag,
                                                              std::string_view text) {
  std::map<std::string, std::string> labels;
  for (std::string_view rest = text;;) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const std::string_view pair = rest.substr(0, end);
    if (std::ranges::count(pair, '=') != 1) {
      return bad_flag(flag, text,
                      fmt::format("\"{}\" is not a label; want key=value[,key=value...]", pair));
    }
    const std::size_t equals = pair.find('=');
    const std::string_view key = trimmed(pair.substr(0, equals));
    if (key.empty()) {
      return bad_flag(flag, text,
                      fmt::format("\"{}\" has no key; want key=value[,key=value...]", pair));
    }
    labels[std::string(key)] = trimmed(pair.substr(equals + 1));
    if (end == rest.size()) return labels;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace cli
