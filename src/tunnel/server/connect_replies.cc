#include "tunnel/server/connect_replies.h"

#include <algorithm>
#include <cctype>
#include <string>

#include <fmt/format.h>

#include "tunnel/destination.h"
#include "tunnel/proxy_status.h"

namespace tunnel {
namespace {

using base::Code;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// What the text of an agent's dial error means: Go's words, which peers branch on too.
base::Error agent_error(const std::string& error) {
  const std::string text = lower(error);
  const auto says = [&](std::string_view phrase) { return text.contains(phrase); };
  Code code = Code::io;
  if (says("timeout") || says("deadline exceeded")) {
    code = Code::timeout;
  } else if (says("too many open files")) {
    code = Code::exhausted;
  } else if (says("connection refused")) {
    code = Code::refused;
  }
  return {code, error};
}

unsigned status_for(const base::Error& error) {
  if (error.is(Code::timeout)) return 504;
  return error.is(Code::exhausted) ? 503 : 502;
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
constexpr std::string_view kServer = "cluster-proxy-server";
constexpr std::string_view kAgent = "cluster-proxy-agent";

DialReply refusal(std::string_view who, const std::string& error) {
  return {.status = 403,
          .content_type = kText,
          .body = error,
          .proxy_status = proxy_status(who, {Code::forbidden, error}),
          .says_close = true,
          .extended = true};
}

DialReply agent_failed(const std::string& error) {
  if (error.contains(kNotAllowed)) return refusal(kAgent, error);
  const base::Error why = agent_error(error);
  return {.status = status_for(why),
          .content_type = kText,
          .body = error,
          .proxy_status = proxy_status(kAgent, why),
          .says_close = true};
}

}  // namespace

DialReply dial_reply(DialFailure reason, const std::string& error) {
  switch (reason) {
    case DialFailure::no_agent:
      return {.status = 500,
              .content_type = "text/plain",
              .body = "currently no tunnels available: No agent available",
              .proxy_status = proxy_status(kServer, "destination_not_found", "No agent available")};
    case DialFailure::forbidden:
      return refusal(kServer, error);
    case DialFailure::backend_dial_timeout:
      return {.status = 504,
              .content_type = kText,
              .body = "Backend dial timeout: " + error + "\r\n",
              .proxy_status = proxy_status(kServer, {Code::timeout, error})};
    case DialFailure::backend_close:
      return {.status = 502,
              .content_type = kText,
              .body = "Backend context error: " + error,
              .proxy_status = proxy_status(kServer, "connection_terminated", error)};
    default:
      return agent_failed(error);
  }
}

std::string dial_failure_reply(DialFailure reason, const std::string& error) {
  if (reason == DialFailure::backend_close && error.empty()) return "";
  const DialReply reply = dial_reply(reason, error);
  const std::string more =
      reply.extended ? fmt::format("Proxy-Status: {}\r\n", reply.proxy_status) : "";
  return fmt::format("HTTP/1.1 {}\r\n{}Content-Type: {}\r\n{}\r\n{}", status_text(reply.status),
                     reply.says_close ? "Connection: close\r\n" : "", reply.content_type, more,
                     reply.body);
}

}  // namespace tunnel
