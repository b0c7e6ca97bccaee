#include "tunnel/client/failure.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <fmt/format.h>

#include "tunnel/proxy_status.h"
#include "tunnel/server/router.h"

namespace tunnel::client {
namespace {

using base::Code;

Code code_of(Failure failure) {
  switch (failure) {
    case Failure::refused:
      return Code::refused;
    case Failure::timed_out:
      return Code::timeout;
    case Failure::not_allowed:
      return Code::forbidden;
    case Failure::not_resolved:
      return Code::not_found;
    case Failure::no_agent:
    case Failure::unreachable:
      return Code::unavailable;
    case Failure::overloaded:
      return Code::exhausted;
    case Failure::server_gone:
      return Code::closed;
    case Failure::protocol:
    case Failure::bad_target:
      return Code::invalid;
    case Failure::other:
      return Code::io;
  }
  return Code::internal;
}

using Meaning = std::pair<std::string_view, Failure>;

/// Types of RFC 9209, 2.3.
constexpr std::array<Meaning, 10> kTypes = {{
    {"destination_not_found", Failure::no_agent},
    {"connection_refused", Failure::refused},
    {"connection_timeout", Failure::timed_out},
    {"dns_timeout", Failure::timed_out},
    {"dns_error", Failure::not_resolved},
    {"destination_ip_unroutable", Failure::unreachable},
    {"destination_ip_prohibited", Failure::not_allowed},
    {"http_request_denied", Failure::not_allowed},
    {"connection_limit_reached", Failure::overloaded},
    {"http_request_error", Failure::bad_target},
}};

/// Phrases of konnectivity's server and of Go's errors, the more telling first.
constexpr std::array<Meaning, 15> kPhrases = {{
    {"no agent available", Failure::no_agent},
    {"not allowed", Failure::not_allowed},
    {"connection refused", Failure::refused},
    {"no such host", Failure::not_resolved},
    {"server misbehaving", Failure::not_resolved},
    {"too many open files", Failure::overloaded},
    {"no route to host", Failure::unreachable},
    {"network is unreachable", Failure::unreachable},
    {"timeout", Failure::timed_out},
    {"timed out", Failure::timed_out},
    {"deadline exceeded", Failure::timed_out},
    {"missing port in address", Failure::bad_target},
    {"too many colons in address", Failure::bad_target},
    {"unknown port", Failure::bad_target},
    {"invalid port", Failure::bad_target},
}};

Failure kind_of_status(unsigned status) {
  switch (status) {
    case 401:
    case 403:
    case 407:
      return Failure::not_allowed;
    case 503:
      return Failure::overloaded;
    case 504:
      return Failure::timed_out;
    case 404:
    case 405:
    case 415:
    case 501:
    case 505:
      return Failure::protocol;
    default:
      return Failure::other;
  }
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string said(const Refusal& refusal) {
  std::string text = proxy_status_parameter(refusal.proxy_status, "details");
  if (text.empty()) text = refusal.text;
  text = one_line(text);
  return text.empty() && refusal.status != 0 ? fmt::format("HTTP status {}", refusal.status) : text;
}

}  // namespace

std::string one_line(std::string_view text) {
  constexpr std::size_t kMost = 1000;
  std::string out;
  for (const char c : text.substr(0, kMost)) {
    const bool printable = static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    out += printable ? c : ' ';
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::string_view to_string(Failure failure) {
  constexpr std::array<std::string_view, 11> kNames = {
      "no_agent",   "refused",     "timed_out", "not_allowed", "not_resolved", "unreachable",
      "overloaded", "server_gone", "protocol",  "bad_target",  "other"};
  return kNames.at(static_cast<std::size_t>(failure));
}

DialError::DialError(Failure kind_of, std::string text)
    : base::Error{code_of(kind_of), std::move(text)}, kind(kind_of) {}

DialError::DialError(base::Error cause)
    : base::Error(std::move(cause)),
      kind(is(Code::timeout) ? Failure::timed_out : Failure::server_gone) {}

Failure kind_of(const Refusal& refusal) {
  const std::string type = proxy_status_parameter(refusal.proxy_status, "error");
  const auto known = std::ranges::find(kTypes, type, &Meaning::first);
  if (known != kTypes.end()) return known->second;
  const std::string text = lower(said(refusal));
  const auto told = std::ranges::find_if(
      kPhrases, [&](const Meaning& meaning) { return text.contains(meaning.first); });
  return told != kPhrases.end() ? told->second : kind_of_status(refusal.status);
}

DialError explain(const Refusal& refusal, const std::string& target, const std::string& server) {
  const Failure kind = kind_of(refusal);
  const std::string text = said(refusal);
  switch (kind) {
    case Failure::no_agent:
      return {kind, fmt::format("no agent for \"{}\" is connected to {}", destination_host(target),
                                server)};
    case Failure::not_allowed:
      return {kind, fmt::format("a connection to {} is not allowed: {}", target, text)};
    case Failure::protocol:
      return {kind, fmt::format("{} does not take connections for agents here: {}", server, text)};
    default:
      return {kind, fmt::format("cannot connect to {}: {}", target, text)};
  }
}

}  // namespace tunnel::client
