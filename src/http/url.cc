#include "http/url.h"

#include <charconv>

#include <fmt/format.h>

#include "net/address.h"

namespace http {

namespace {

constexpr std::uint16_t default_port(bool tls) { return tls ? 443 : 80; }

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::unexpected<base::Error> bad_url(std::string_view shown, std::string_view reason) {
  return base::fail(base::Code::invalid, fmt::format("URL \"{}\": {}", shown, reason));
}

/// Takes the text up to the first of `stops` off the front of `rest`.
std::string_view take_until(std::string_view& rest, std::string_view stops) {
  const auto end = std::min(rest.find_first_of(stops), rest.size());
  const auto taken = rest.substr(0, end);
  rest.remove_prefix(end);
  return taken;
}

bool has_control(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f) return true;
  }
  return false;
}

/// The host and port of "host", "host:port", "[v6]", "[v6]:port".
base::Result<void> parse_authority(std::string_view authority, Origin& into) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return base::fail(base::Code::invalid, "missing ']'");
    into.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    const auto colon = std::min(authority.find(':'), authority.size());
    into.host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (into.host.empty()) return base::fail(base::Code::invalid, "no host");
  into.port = default_port(into.tls);
  if (port.empty() || port == ":") return {};
  const auto* end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data() + 1, end, into.port);
  if (port[0] != ':' || error != std::errc{} || stop != end || into.port == 0) {
    return base::fail(base::Code::invalid, fmt::format("\"{}\" is not a port", port));
  }
  return {};
}

}  // namespace

std::string Origin::address() const { return net::join_host_port(host, port); }

std::string Origin::authority() const {
  if (port != default_port(tls)) return address();
  return host.contains(':') ? "[" + host + "]" : host;
}

base::Result<Url> parse_url(std::string_view text) {
  Url url;
  auto rest = text;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    url.origin.tls = false;
  } else {
    return bad_url(text.substr(0, text.find('@')), "must begin with https:// or http://");
  }
  auto authority = take_until(rest, "/?#");
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    url.user_info = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  if (has_control(text)) return bad_url(authority, "contains a space or control character");
  if (auto parsed = parse_authority(authority, url.origin); !parsed) {
    return bad_url(authority, parsed.error().message);
  }
  url.path = take_until(rest, "?#");
  if (rest.starts_with('?')) {
    rest.remove_prefix(1);
    url.query = take_until(rest, "#");
  }
  return url;
}

std::string percent_encode(std::string_view text) {
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool triple = text[i] == '%' && i + 2 < text.size();
    const int high = triple ? hex_value(text[i + 1]) : -1;
    const int low = triple ? hex_value(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

void Query::add(std::string_view name, std::string_view value) {
  if (!text_.empty()) text_ += '&';
  text_ += percent_encode(name);
  text_ += '=';
  text_ += percent_encode(value);
}

void Query::add_if(std::string_view name, std::string_view value) {
  if (!value.empty()) add(name, value);
}

}  // namespace http
