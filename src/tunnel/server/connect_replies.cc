#include "tunnel/server/connect_replies.h"

#include <algorithm>
#include <cctype>
#include <string>

#include <fmt/format.h>

#include "tunnel/destination.h"
#include "tunnel/proxy_status.h"

namespace tunnel {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The status for the text of an agent's dial error; peers branch on it.
unsigned status_for(const std::string& error) {
  const std::string text = lower(error);
  const auto says = [&](std::string_view phrase) { return text.find(phrase) != std::string::npos; };
  if (says("timeout") || says("deadline exceeded")) return 504;
  if (says("too many open files")) return 503;
  return 502;
}

std::string_view status_text(unsigned status) {
  switch (status) {
    case 403:
      return "403 Forbidden";
    case 500:
      return "500 Internal Server Error";
    case 503:
      return "503 Service Unavailable";
    case 504:
      return "504 Gateway Timeout";
    default:
      return "502 Bad Gateway";
  }
}

constexpr std::string_view kText = "text/plain; charset=utf-8";

DialReply refusal(std::string_view who, const std::string& error) {
  return {403, kText, error, true, proxy_status(who, {base::Code::forbidden, error})};
}

}  // namespace

DialReply dial_reply(DialFailure reason, const std::string& error) {
  switch (reason) {
    case DialFailure::no_agent:
      return {500, "text/plain", "currently no tunnels available: No agent available"};
    case DialFailure::forbidden:
      return refusal("cluster-proxy-server", error);
    case DialFailure::backend_dial_timeout:
      return {504, kText, "Backend dial timeout: " + error + "\r\n"};
    case DialFailure::backend_close:
      return {502, kText, "Backend context error: " + error};
    default:
      if (error.contains(kNotAllowed)) return refusal("cluster-proxy-agent", error);
      return {status_for(error), kText, error, true};
  }
}

std::string dial_failure_reply(DialFailure reason, const std::string& error) {
  if (reason == DialFailure::backend_close && error.empty()) return "";
  const DialReply reply = dial_reply(reason, error);
  const std::string more =
      reply.proxy_status.empty() ? "" : fmt::format("Proxy-Status: {}\r\n", reply.proxy_status);
  return fmt::format("HTTP/1.1 {}\r\n{}Content-Type: {}\r\n{}\r\n{}", status_text(reply.status),
                     reply.says_close ? "Connection: close\r\n" : "", reply.content_type, more,
                     reply.body);
}

}  // namespace tunnel
