#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// Times as Kubernetes writes them (RFC 3339 in UTC).
namespace kube {

using WallTime = std::chrono::system_clock::time_point;

/// metav1.Time: "2026-01-02T15:04:05Z".
std::string format_time(WallTime time);
/// metav1.MicroTime: "2026-01-02T15:04:05.000000Z".
std::string format_micro_time(WallTime time);

/// As Go prints a time in UTC: "2027-05-22 16:52:28 +0000 UTC", with a fraction when there is one.
/// Messages of conditions have it.
std::string go_time_string(WallTime time);

/// Any RFC 3339 time with a fraction of 0 to 9 digits and any offset; nothing for other text.
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace kube
