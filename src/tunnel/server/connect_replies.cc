#include <algorithm>
#include <cctype>
#include <string>

#include <fmt/format.h>

#include "tunnel/server/connect_frontend.h"

namespace tunnel {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The status for the text of an agent's dial error; peers branch on it.
std::string_view status_for(const std::string& error) {
  const std::string text = lower(error);
  const auto says = [&](std::string_view phrase) { return text.find(phrase) != std::string::npos; };
  if (says("timeout") || says("deadline exceeded")) return "504 Gateway Timeout";
  if (says("too many open files")) return "503 Service Unavailable";
  return "502 Bad Gateway";
}

std::string plain(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\n\r\n{}", status, type, body);
}

}  // namespace

std::string dial_failure_reply(DialFailure reason, const std::string& error) {
  constexpr std::string_view kText = "text/plain; charset=utf-8";
  switch (reason) {
    case DialFailure::no_agent:
      return plain("500 Internal Server Error", "text/plain",
                   "currently no tunnels available: No agent available");
    case DialFailure::backend_dial_timeout:
      return plain("504 Gateway Timeout", kText, "Backend dial timeout: " + error + "\r\n");
    case DialFailure::backend_close:
      return error.empty() ? ""
                           : plain("502 Bad Gateway", kText, "Backend context error: " + error);
    default:
      return fmt::format("HTTP/1.1 {}\r\nConnection: close\r\nContent-Type: {}\r\n\r\n{}",
                         status_for(error), kText, error);
  }
}

}  // namespace tunnel
