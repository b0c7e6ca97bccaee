#include "tunnel/identifiers.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

namespace tunnel {
namespace {

using base::Code;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

base::Result<std::string> unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const std::string_view escape = text.substr(i, 3);
    if (escape.size() < 3 || hex_digit(escape[1]) < 0 || hex_digit(escape[2]) < 0) {
      return base::fail(Code::invalid, fmt::format("invalid URL escape \"{}\"", escape));
    }
    out += static_cast<char>(hex_digit(escape[1]) * 16 + hex_digit(escape[2]));
    i += 2;
  }
  return out;
}

bool is_go_true(std::string_view text) {
  constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "true", "TRUE", "True"};
  return std::ranges::count(kTrue, text) > 0;
}

class Collector {
 public:
  explicit Collector(UnknownKeys unknown) : unknown_(unknown) {}

  base::Result<void> add(const std::string& key, std::string value) {
    if (std::vector<std::string>* list = list_of(key)) {
      list->push_back(std::move(value));
      return {};
    }
    if (key == "default-route") {
      if (!seen_default_route_) result_.default_route = is_go_true(value);
      seen_default_route_ = true;
      return {};
    }
    if (unknown_ == UnknownKeys::ignore) return {};
    return base::fail(
        Code::invalid,
        fmt::format("unknown address type: \"{}\"; known are ipv4, ipv6, host, cidr, default-route",
                    key));
  }

  Identifiers take() { return std::move(result_); }

 private:
  std::vector<std::string>* list_of(std::string_view key) {
    if (key == "ipv4") return &result_.ipv4;
    if (key == "ipv6") return &result_.ipv6;
    if (key == "host") return &result_.host;
    if (key == "cidr") return &result_.cidr;
    return nullptr;
  }

  UnknownKeys unknown_;
  bool seen_default_route_ = false;
  Identifiers result_;
};

base::Result<void> add_pair(Collector& collector, std::string_view pair) {
  if (pair.empty()) return {};
  if (pair.contains(';')) return base::fail(Code::invalid, "invalid semicolon separator in query");
  const std::size_t equals = pair.find('=');
  const std::string_view raw_value =
      equals == pair.npos ? std::string_view() : pair.substr(equals + 1);
  TRY(const std::string key, unescape(pair.substr(0, equals)));
  TRY(std::string value, unescape(raw_value));
  return collector.add(key, std::move(value));
}

}  // namespace

base::Result<Identifiers> parse_identifiers(std::string_view query, UnknownKeys unknown) {
  Collector collector(unknown);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    TRY_VOID(add_pair(collector, query.substr(0, end)));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return collector.take();
}

}  // namespace tunnel
