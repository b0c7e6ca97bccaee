#pragma once

#include <string>
#include <string_view>

namespace base {

/// What callers may branch on. The text of an Error is for people only.
enum class Code {
  closed,     // the peer ended the conversation
  cancelled,  // we ended it
  timeout,    // a deadline passed
  refused,    // the target refused (connection refused, no such service)
  not_found,  // no such thing (HTTP 404, NXDOMAIN)
  already_exists,
  conflict,  // optimistic concurrency lost (HTTP 409)
  gone,      // history no longer there (HTTP 410)
  unauthenticated,
  forbidden,
  invalid,      // the input is wrong; trying again does not help
  exhausted,    // a limit was reached: descriptors, memory, rate
  unavailable,  // temporarily not there; trying again may help
  io,           // the operating system reported something else
  internal,
};

std::string_view to_string(Code code);

/// Why something failed: a code for programs and a message for people.
/// The message grows outward as the error rises: `error.within("read /etc/ca.pem")`.
struct [[nodiscard]] Error {
  Code code = Code::internal;
  std::string message;

  Error within(std::string_view context) &&;
  Error within(std::string_view context) const&;

  bool is(Code wanted) const { return code == wanted; }
};

/// An Error for `errno`-style number `number` of system call or operation `what`.
Error system_error(int number, std::string_view what);

/// The code that stands for `errno`-style number `number`.
Code code_of_errno(int number);

}  // namespace base
