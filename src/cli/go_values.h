#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "async/clock.h"
#include "base/result.h"

/// Values as Go programs read them from their command line: manifests rely on these forms, and
/// scripts on these texts of errors.
namespace cli {

/// strconv.ParseBool: 1, t, T, true, TRUE, True and their opposites.
base::Result<bool> parse_go_bool(std::string_view text);

/// strconv.ParseInt with base 0: decimal, 0x, 0o, 0b or a leading 0 for octal, '_' between digits
/// after a prefix.
base::Result<std::int64_t> parse_go_int(std::string_view text);
base::Result<std::uint64_t> parse_go_uint(std::string_view text);

/// strconv.ParseFloat, finite decimal numbers only.
base::Result<double> parse_go_float(std::string_view text);

/// time.ParseDuration: "1h", "1m30s", "1.5h", "-500ms", "0".
base::Result<async::Duration> parse_go_duration(std::string_view text);
/// time.Duration.String: "1h0m0s", "1.5s", "500ms", "0s".
std::string format_go_duration(async::Duration duration);

/// Bytes: a whole number, with Ki, Mi, Gi (powers of 1024) or k, M, G (powers of 1000).
base::Result<std::size_t> parse_byte_size(std::string_view text);
std::string format_byte_size(std::size_t bytes);

}  // namespace cli
