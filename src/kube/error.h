#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "async/task.h"
#include "base/error.h"
#include "base/result.h"
#include "http/response_parser.h"

namespace kube {

/// Why a call to the API server failed. When the server answered, what it said is kept: metrics are
/// labelled with it.
struct Error : base::Error {
  Error(base::Error cause) : base::Error(std::move(cause)) {}  // implicit: rises by TRY
  Error(base::Code code_of, std::string text) : base::Error{code_of, std::move(text)} {}

  int http_status = 0;  // 0 = no answer came
  std::string reason;   // of the Status object: "NotFound", "Conflict" ...; "" when there was none
  std::optional<std::chrono::seconds> retry_after;

  bool answered() const { return http_status != 0; }
  bool is_not_found() const { return is(base::Code::not_found); }
  bool is_already_exists() const { return is(base::Code::already_exists); }
  bool is_conflict() const { return is(base::Code::conflict); }
  /// The wanted history is no longer there: list again.
  bool is_gone() const { return is(base::Code::gone); }
  bool is_forbidden() const { return is(base::Code::forbidden); }
  bool is_unauthenticated() const { return is(base::Code::unauthenticated); }
  bool is_invalid() const { return is(base::Code::invalid); }
  bool is_too_many_requests() const { return is(base::Code::exhausted); }
  /// The list asks for a resource version that the server has not reached ("Too large resource
  /// version").
  bool is_too_large_resource_version() const;
};

template <typename T>
using Result = std::expected<T, Error>;
/// A coroutine that calls the API server.
template <typename T = void>
using Task = async::Awaitable<Result<T>>;

/// The error that an HTTP answer of 400 and more stands for. The Status object in `body` decides by
/// its reason; without one the HTTP status does, and the text shows the beginning of the body.
Error error_of_answer(const http::ResponseHead& head, std::string_view body);

/// The error that a Status object stands for: the object of a watch event of type ERROR.
Error error_of_status(const boost::json::object& status);

}  // namespace kube
