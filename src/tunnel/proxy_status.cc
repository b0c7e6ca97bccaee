#include "tunnel/proxy_status.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "http/h2_session.h"
#include "tunnel/destination.h"

namespace tunnel {
namespace {

using base::Code;

bool says(const base::Error& error, std::string_view phrase) {
  return error.message.find(phrase) != std::string::npos;
}

struct Reply {
  std::string_view status;
  std::string_view type;  // RFC 9209, 2.3
};

Reply reply_to(const base::Error& error) {
  const bool lookup = says(error, "lookup ");
  if (says(error, kNotAllowed)) {
    return {"403",
            says(error, kAddressNotAllowed) ? "destination_ip_prohibited" : "http_request_denied"};
  }
  if (error.is(Code::timeout)) return {"504", lookup ? "dns_timeout" : "connection_timeout"};
  if (error.is(Code::exhausted) || says(error, "too many open files"))
    return {"503", "connection_limit_reached"};
  if (lookup) return {"502", "dns_error"};
  if (error.is(Code::refused)) return {"502", "connection_refused"};
  if (says(error, "unreachable") || says(error, "no route"))
    return {"502", "destination_ip_unroutable"};
  if (error.is(Code::invalid)) return {"502", "http_request_error"};
  return {"502", "destination_unavailable"};
}

// A string of RFC 8941, 3.3.3, which is ASCII; as much of it as peers take in a header.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 1000;
  std::string out = "\"";
  for (const char c : text.substr(0, kMost)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c >= 0x20 && c < 0x7f ? c : '?';
  }
  return out + '"';
}

// Takes a quoted string or a token off the front.
std::string take_value(std::string_view& rest) {
  std::string value;
  if (!rest.starts_with('"')) {
    const std::size_t end = std::min(rest.find_first_of(";, "), rest.size());
    value = rest.substr(0, end);
    rest.remove_prefix(end);
    return value;
  }
  rest.remove_prefix(1);
  while (!rest.empty() && !rest.starts_with('"')) {
    if (rest.starts_with('\\') && rest.size() > 1) rest.remove_prefix(1);
    value += rest.front();
    rest.remove_prefix(1);
  }
  if (!rest.empty()) rest.remove_prefix(1);
  return value;
}

}  // namespace

http::Headers dial_failure_headers(const base::Error& error) {
  return {{":status", std::string(reply_to(error).status)},
          {"proxy-status", proxy_status("cluster-proxy-agent", error)}};
}

std::string proxy_status(std::string_view who, const base::Error& error) {
  return proxy_status(who, reply_to(error).type, error.message);
}

std::string proxy_status(std::string_view who, std::string_view type, std::string_view details) {
  return fmt::format("{}; error={}; details={}", who, type, quoted(details));
}

std::string dial_failure_text(const http::Headers& headers) {
  const std::string* status = http::find(headers, ":status");
  const std::string* why = http::find(headers, "proxy-status");
  std::string details = why == nullptr ? "" : proxy_status_parameter(*why, "details");
  if (!details.empty()) return details;
  return fmt::format("the agent answered the dial with status {}",
                     status == nullptr ? "none" : *status);
}

std::string proxy_status_parameter(std::string_view value, std::string_view name) {
  (void)take_value(value);  // who says so
  while (!value.empty()) {
    if (value.starts_with(';') || value.starts_with(' ')) {
      value.remove_prefix(1);
      continue;
    }
    const std::size_t equals = std::min(value.find_first_of("=;,"), value.size());
    const std::string_view key = value.substr(0, equals);
    value.remove_prefix(equals);
    if (!value.starts_with('=')) {
      if (value.starts_with(',')) break;  // the next proxy's
      continue;
    }
    value.remove_prefix(1);
    std::string found = take_value(value);
    if (key == name) return found;
    if (value.starts_with(',')) break;
  }
  return "";
}

}  // namespace tunnel
