#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace http {

/// Where a server is: "https://api.example:6443".
struct Origin {
  bool tls = true;
  std::string host;  // IPv6 without brackets
  std::uint16_t port = 443;

  bool operator==(const Origin&) const = default;
  /// "host:port" to dial.
  std::string address() const;
  /// The Host header: the port is left out when it is the scheme's own.
  std::string authority() const;
};

/// An http or https URL in parts.
struct Url {
  Origin origin;
  std::string user_info;  // "user:password" as written, still percent-encoded, or ""
  std::string path;       // begins with "/", or is empty
  std::string query;      // without "?"
};

/// Parses an absolute http or https URL. The fragment is dropped. The text of the error names the
/// URL without its user info.
base::Result<Url> parse_url(std::string_view text);

/// `text` with everything but unreserved characters (RFC 3986) as %XX: safe as a path segment and
/// in a query.
std::string percent_encode(std::string_view text);
/// The reverse; a stray "%" stands for itself.
std::string percent_decode(std::string_view text);

/// Builds "a=1&b=x%20y" in the order of calls.
class Query {
 public:
  void add(std::string_view name, std::string_view value);
  /// As add(), unless the value is empty.
  void add_if(std::string_view name, std::string_view value);
  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace http
