#pragma once

#include <string>
#include <string_view>

#include "http/h2_session.h"

namespace grpc {

/// Status codes of gRPC that occur in konnectivity, and permission_denied, which is ours.
enum class StatusCode {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  permission_denied = 7,
  resource_exhausted = 8,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
};

struct Status {
  StatusCode code = StatusCode::ok;
  std::string message;

  bool ok() const { return code == StatusCode::ok; }
};

/// The code's name in Go ("Unavailable", "ResourceExhausted"), as it stands in metrics.
std::string_view go_name(StatusCode code);

/// The trailers that carry a status; the message is percent-encoded.
http::Headers to_trailers(const Status& status);
/// The status in trailers (or a trailers-only response): Unknown when there is none.
Status from_trailers(const http::Headers& trailers);
/// The status that stands for the reset of a stream with `error` of RFC 9113.
Status from_reset(std::uint32_t error);

}  // namespace grpc
