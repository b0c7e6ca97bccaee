#include "base/error.h"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace base {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::closed:
      return "closed";
    case Code::cancelled:
      return "cancelled";
    case Code::timeout:
      return "timeout";
    case Code::refused:
      return "refused";
    case Code::not_found:
      return "not_found";
    case Code::already_exists:
      return "already_exists";
    case Code::conflict:
      return "conflict";
    case Code::gone:
      return "gone";
    case Code::unauthenticated:
      return "unauthenticated";
    case Code::forbidden:
      return "forbidden";
    case Code::invalid:
      return "invalid";
    case Code::exhausted:
      return "exhausted";
    case Code::unavailable:
      return "unavailable";
    case Code::io:
      return "io";
    case Code::internal:
      return "internal";
  }
  return "internal";
}

Error Error::within(std::string_view context) && {
  return {code, fmt::format("{}: {}", context, message)};
}

Error Error::within(std::string_view context) const& { return Error(*this).within(context); }

Code code_of_errno(int number) {
  switch (number) {
    case ECONNREFUSED:
      return Code::refused;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return Code::closed;
    case ETIMEDOUT:
      return Code::timeout;
    case ECANCELED:
      return Code::cancelled;
    case ENOENT:
      return Code::not_found;
    case EEXIST:
      return Code::already_exists;
    case EACCES:
    case EPERM:
      return Code::forbidden;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return Code::exhausted;
    case ENETUNREACH:
    case EHOSTUNREACH:
      return Code::unavailable;
    case EINVAL:
      return Code::invalid;
    default:
      return Code::io;
  }
}

namespace {

// The phrases are those of Go's syscall package, which peers of konnectivity look for in error
// texts.
std::string text_of_errno(int number) {
  std::string text = std::generic_category().message(number);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z')
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

}  // namespace

Error system_error(int number, std::string_view what) {
  return {code_of_errno(number), fmt::format("{}: {}", what, text_of_errno(number))};
}

}  // namespace base
