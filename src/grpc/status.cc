#include "grpc/status.h"

#include <charconv>

#include <fmt/format.h>

namespace grpc {
namespace {

bool printable(char c) { return c >= ' ' && c <= '~' && c != '%'; }

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (printable(c)) {
      encoded += c;
    } else {
      fmt::format_to(std::back_inserter(encoded), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr ==
            text.data() + i + 3) {
      decoded += static_cast<char>(value);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

}  // namespace

std::string_view go_name(StatusCode code) {
  switch (code) {
    case StatusCode::ok:
      return "OK";
    case StatusCode::cancelled:
      return "Canceled";
    case StatusCode::unknown:
      return "Unknown";
    case StatusCode::invalid_argument:
      return "InvalidArgument";
    case StatusCode::deadline_exceeded:
      return "DeadlineExceeded";
    case StatusCode::resource_exhausted:
      return "ResourceExhausted";
    case StatusCode::permission_denied:
      return "PermissionDenied";
    case StatusCode::unimplemented:
      return "Unimplemented";
    case StatusCode::internal:
      return "Internal";
    case StatusCode::unavailable:
      return "Unavailable";
  }
  return "Unknown";
}

http::Headers to_trailers(const Status& status) {
  http::Headers trailers{{"grpc-status", std::to_string(static_cast<int>(status.code))}};
  trailers.push_back({"grpc-message", percent_encode(status.message)});
  return trailers;
}

Status from_trailers(const http::Headers& trailers) {
  const std::string* code = http::find(trailers, "grpc-status");
  const std::string* message = http::find(trailers, "grpc-message");
  if (code == nullptr) {
    const std::string* http_status = http::find(trailers, ":status");
    return {StatusCode::unknown,
            "no gRPC status from the peer" + (http_status ? " (HTTP " + *http_status + ")" : "")};
  }
  int number = static_cast<int>(StatusCode::unknown);
  std::from_chars(code->data(), code->data() + code->size(), number);
  return {static_cast<StatusCode>(number), message ? percent_decode(*message) : ""};
}

Status from_reset(std::uint32_t error) {
  if (error == static_cast<std::uint32_t>(http::H2Error::cancel) ||
      error == static_cast<std::uint32_t>(http::H2Error::connection_lost))
    return {StatusCode::cancelled, "stream cancelled"};
  if (error == static_cast<std::uint32_t>(http::H2Error::refused_stream))
    return {StatusCode::unavailable, "stream refused"};
  return {StatusCode::unavailable, fmt::format("stream reset with HTTP/2 error {}", error)};
}

}  // namespace grpc
