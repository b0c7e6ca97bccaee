#include "kube/error.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "kube/json.h"

namespace kube {

using base::Code;

namespace {

constexpr std::size_t kShownBody = 256;

struct ReasonCode {
  std::string_view reason;
  Code code;
};

// The reasons of metav1.Status that callers tell apart.
constexpr ReasonCode kReasons[] = {
    {"NotFound", Code::not_found},
    {"AlreadyExists", Code::already_exists},
    {"Conflict", Code::conflict},
    {"Gone", Code::gone},
    {"Expired", Code::gone},
    {"Forbidden", Code::forbidden},
    {"Unauthorized", Code::unauthenticated},
    {"Invalid", Code::invalid},
    {"BadRequest", Code::invalid},
    {"NotAcceptable", Code::invalid},
    {"MethodNotAllowed", Code::invalid},
    {"UnsupportedMediaType", Code::invalid},
    {"RequestEntityTooLarge", Code::invalid},
    {"TooManyRequests", Code::exhausted},
    {"Timeout", Code::timeout},
    {"ServerTimeout", Code::timeout},
    {"ServiceUnavailable", Code::unavailable},
    {"InternalError", Code::unavailable},
};

Code code_of_http(int status) {
  switch (status) {
    case 401:
      return Code::unauthenticated;
    case 403:
      return Code::forbidden;
    case 404:
      return Code::not_found;
    case 409:
      return Code::conflict;
    case 410:
      return Code::gone;
    case 429:
      return Code::exhausted;
    case 504:
      return Code::timeout;
    default:
      return status >= 500 ? Code::unavailable : Code::invalid;
  }
}

Code code_of(std::string_view reason, int status) {
  for (const auto& known : kReasons) {
    if (known.reason == reason) return known.code;
  }
  return code_of_http(status);
}

std::optional<std::chrono::seconds> parse_seconds(std::string_view text) {
  std::uint32_t seconds = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || error != std::errc{} || stop != text.data() + text.size())
    return std::nullopt;
  return std::chrono::seconds(seconds);
}

Error from_status(const json::object& status, int http_status) {
  const auto reason = text_at(status, "reason");
  const auto message = text_at(status, "message");
  Error error(code_of(reason, http_status),
              fmt::format("{} ({} {})", message, http_status, reason));
  error.http_status = http_status;
  error.reason = reason;
  if (const auto wait = integer_at(object_at(status, "details"), "retryAfterSeconds"); wait > 0) {
    error.retry_after = std::chrono::seconds(*wait);
  }
  return error;
}

/// The beginning of a body that nobody expected, fit for one line of a log.
std::string shown(std::string_view body) {
  std::string text(body.substr(0, kShownBody));
  std::ranges::replace_if(text, [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return body.size() > kShownBody ? text + "..." : text;
}

/// HTTP/2 has no reason phrase.
std::string status_line(const http::ResponseHead& head) {
  if (head.reason.empty()) return fmt::format("HTTP status {}", head.status);
  return fmt::format("{} {}", head.status, head.reason);
}

bool is_status(const json::object& object) { return text_at(object, "kind") == "Status"; }

}  // namespace

bool Error::is_too_large_resource_version() const {
  return message.contains("Too large resource version");
}

Error error_of_answer(const http::ResponseHead& head, std::string_view body) {
  const auto http_status = static_cast<int>(head.status);
  const auto parsed = parse_json(body);
  const bool status = parsed && parsed->is_object() && is_status(parsed->get_object());
  auto error = status ? from_status(parsed->get_object(), http_status)
                      : Error(code_of_http(http_status),
                              fmt::format("{}: {}", status_line(head), shown(body)));
  error.http_status = http_status;
  // The header is what the server wants now; the details are an older hint.
  if (const auto wait = parse_seconds(head.find("Retry-After"))) error.retry_after = wait;
  return error;
}

Error error_of_status(const json::object& status) {
  const auto code = integer_at(status, "code").value_or(500);
  return from_status(status, static_cast<int>(std::clamp<std::int64_t>(code, 100, 599)));
}

}  // namespace kube
