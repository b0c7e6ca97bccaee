#include "tunnel/destination.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "net/address.h"
#include "tunnel/glob.h"

namespace tunnel {
namespace {

namespace ip = boost::asio::ip;
using base::Code;
using base::fail;
using base::Result;

constexpr std::string_view kForm =
    "want HOST[:PORT], for example *.svc.cluster.local:443, 10.0.0.0/8, [fd00::/8]:8000-8100 or *";

std::unexpected<base::Error> bad(std::string_view what) {
  return fail(Code::invalid, fmt::format("{}; {}", what, kForm));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// As names are compared: without case, and without the dot that ends a whole one.
std::string plain_name(std::string_view host) {
  if (host.size() > 1 && host.ends_with('.')) host.remove_suffix(1);
  std::string name(host);
  std::ranges::transform(name, name.begin(), lower);
  return name;
}

std::optional<ip::address> address_of(std::string_view text) {
  boost::system::error_code error;
  auto address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  return address;
}

// IPv4 inside IPv6 reaches the same host as IPv4 itself.
ip::address plain_address(const ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

template <typename Bytes>
bool same_bits(const Bytes& a, const Bytes& b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (a[whole] >> (8 - rest)) == (b[whole] >> (8 - rest));
}

std::optional<unsigned> number(std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("-_.*?").contains(c);
}

// What an empty host means to a dialer.
std::string_view host_of(const net::HostPort& target) {
  return target.host.empty() ? std::string_view("localhost") : std::string_view(target.host);
}

base::Error refused(const net::HostPort& target, std::string_view why) {
  return {Code::forbidden, fmt::format("dial tcp: destination {} {}",
                                       net::join_host_port(target.host, target.port), why)};
}

}  // namespace

Result<DestinationPattern> DestinationPattern::parse(std::string_view text) {
  DestinationPattern pattern;
  pattern.text_ = text;
  std::string_view host = text;
  std::optional<std::string_view> ports;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return bad("the bracket is not closed");
    host = text.substr(1, end - 1);
    if (!host.contains(':')) return bad("only an IPv6 address stands in brackets");
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return bad("after the bracket comes a port");
    if (!rest.empty()) ports = rest.substr(1);
  } else if (std::ranges::count(text, ':') == 1) {
    host = text.substr(0, text.find(':'));
    ports = text.substr(host.size() + 1);
  }
  TRY_VOID(pattern.read_host(host));
  if (ports) TRY_VOID(pattern.read_ports(*ports));
  return pattern;
}

Result<void> DestinationPattern::read_host(std::string_view host) {
  if (host.empty()) return bad("the host is missing");
  if (host.contains('/') || address_of(host)) {
    TRY(network_, parse_network(host));
    return {};
  }
  glob_ = plain_name(host);
  if (!std::ranges::all_of(glob_, is_name_byte))
    return bad(fmt::format("\"{}\" is neither a name nor an address", host));
  const bool of_digits = glob_.find_first_not_of("0123456789.*?") == glob_.npos;
  if (of_digits && !every_host()) {
    return bad(fmt::format(
        "\"{}\" looks like addresses, but would match names: write a range as 10.0.0.0/8", host));
  }
  return {};
}

Result<DestinationPattern::Network> DestinationPattern::parse_network(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  auto base = address_of(text.substr(0, slash));
  if (!base) return bad(fmt::format("\"{}\" is no address", text.substr(0, slash)));
  const unsigned most = base->is_v4() ? 32 : 128;
  unsigned bits = most;
  if (slash < text.size()) {
    const auto given = number(text.substr(slash + 1), most);
    if (!given) return bad(fmt::format("\"{}\": the range ends in /0 to /{}", text, most));
    bits = *given;
  }
  const ip::address plain = plain_address(*base);
  constexpr unsigned kMapped = 96;  // bits before an IPv4 address in an IPv6 one
  if (plain.is_v4() && base->is_v6()) {
    if (bits < kMapped) return bad(fmt::format("\"{}\" is IPv4 and IPv6 in one", text));
    bits -= kMapped;
  }
  return Network{plain, bits};
}

Result<void> DestinationPattern::read_ports(std::string_view ports) {
  const std::size_t dash = std::min(ports.find('-'), ports.size());
  const auto first = number(ports.substr(0, dash), 65535);
  const auto last =
      dash == ports.size() ? first : number(ports.substr(std::min(dash + 1, ports.size())), 65535);
  if (!first || !last || *first == 0 || *first > *last)
    return bad(fmt::format("\"{}\" is no port and no range of ports", ports));
  first_port_ = static_cast<std::uint16_t>(*first);
  last_port_ = static_cast<std::uint16_t>(*last);
  return {};
}

bool DestinationPattern::matches(const net::HostPort& target) const {
  const std::string_view host = host_of(target);
  if (const auto address = address_of(host)) return matches(*address, target.port);
  return !network_ && has_port(target.port) && matches_glob(glob_, plain_name(host));
}

bool DestinationPattern::matches(const ip::address& address, std::uint16_t port) const {
  if (!has_port(port)) return false;
  if (!network_) return every_host();
  const ip::address plain = plain_address(address);
  if (plain.is_v4() != network_->base.is_v4()) return false;
  if (plain.is_v4())
    return same_bits(plain.to_v4().to_bytes(), network_->base.to_v4().to_bytes(), network_->bits);
  return same_bits(plain.to_v6().to_bytes(), network_->base.to_v6().to_bytes(), network_->bits);
}

bool DestinationRules::allows(const net::HostPort& target) const {
  return allowed_.empty() || std::ranges::any_of(allowed_, [&](const DestinationPattern& pattern) {
           return pattern.matches(target);
         });
}

// A name that only an address can still allow has to be looked up first.
Result<void> DestinationRules::check_target(const net::HostPort& target) const {
  for (const DestinationPattern& pattern : denied_) {
    if (pattern.matches(target)) {
      return fail(refused(target, fmt::format("{}: the agent has --deny-destination={}",
                                              kNotAllowed, pattern.text())));
    }
  }
  const bool name = !address_of(host_of(target));
  const auto may_allow = [&](const DestinationPattern& pattern) {
    return name && pattern.is_network() && pattern.has_port(target.port);
  };
  if (allows(target) || std::ranges::any_of(allowed_, may_allow)) return {};
  return fail(refused(
      target, fmt::format("{}: no --allow-destination of the agent matches it", kNotAllowed)));
}

Result<void> DestinationRules::check_address(const net::HostPort& target,
                                             const ip::address& address) const {
  for (const DestinationPattern& pattern : denied_) {
    if (pattern.matches(address, target.port)) {
      return fail(
          refused(target, fmt::format("{} {} falls under the agent's --deny-destination={}",
                                      kAddressNotAllowed, address.to_string(), pattern.text())));
    }
  }
  const auto allowing = [&](const DestinationPattern& pattern) {
    return pattern.matches(address, target.port);
  };
  if (allows(target) || std::ranges::any_of(allowed_, allowing)) return {};
  return fail(
      refused(target, fmt::format("{} {} matches no --allow-destination of the agent, nor does "
                                  "its name",
                                  kAddressNotAllowed, address.to_string())));
}

}  // namespace tunnel
