#pragma once

#include <expected>
#include <utility>

#include "base/error.h"

namespace base {

template <typename T>
using Result = std::expected<T, Error>;

/// Builds the failing side of a Result: `return fail(Code::invalid, "port 0 is not a port")`.
inline std::unexpected<Error> fail(Code code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace base

#define BASE_CONCAT_INNER(a, b) a##b
#define BASE_CONCAT(a, b) BASE_CONCAT_INNER(a, b)
#define BASE_TRY(result, declaration, expression, leave)         \
  auto result = (expression);                                    \
  if (!result) leave std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)
#define BASE_TRY_VOID(expression, leave)                 \
  if (auto result_of_try = (expression); !result_of_try) \
  leave std::unexpected(std::move(result_of_try).error())

/// `TRY(auto n, parse(text));` declares n, or returns the error of the expression to the caller.
#define TRY(declaration, expression) \
  BASE_TRY(BASE_CONCAT(try_, __LINE__), declaration, expression, return)
#define TRY_VOID(expression) BASE_TRY_VOID(expression, return)
/// The same inside a coroutine.
#define CO_TRY(declaration, expression) \
  BASE_TRY(BASE_CONCAT(try_, __LINE__), declaration, expression, co_return)
#define CO_TRY_VOID(expression) BASE_TRY_VOID(expression, co_return)
