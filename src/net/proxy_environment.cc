#include "net/proxy_environment.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace net {
namespace {

namespace ip = boost::asio::ip;

std::string first_set(const char* upper, const char* lower) {
  for (const char* name : {upper, lower}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

std::string normalised(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  std::string out(text.substr(first, text.find_last_not_of(" \t") - first + 1));
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

// An IPv4 address written as ::ffff:a.b.c.d is the IPv4 address.
std::optional<ip::address> parse_address(std::string_view text) {
  boost::system::error_code error;
  auto address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address;
}

bool in_network(const ip::address& address, const std::string& cidr) {
  boost::system::error_code error;
  if (address.is_v4()) {
    const auto network = ip::make_network_v4(cidr, error);
    return !error && ip::network_v4(address.to_v4(), network.prefix_length()).canonical() ==
                         network.canonical();
  }
  const auto network = ip::make_network_v6(cidr, error);
  return !error && ip::network_v6(address.to_v6(), network.prefix_length()).canonical() ==
                       network.canonical();
}

struct Exception {
  std::string host;
  std::string port;  // empty = every port
};

// "host", "host:port", "[ipv6]:port" or a bare IPv6 address.
Exception split(const std::string& entry) {
  const std::size_t colon = entry.rfind(':');
  const bool bracketed = entry.starts_with('[');
  const bool bare_v6 = !bracketed && entry.find(':') != colon;
  if (colon == std::string::npos || bare_v6 || entry.ends_with(']')) return {entry, ""};
  const std::string host = entry.substr(0, colon);
  return {bracketed ? host.substr(1, host.size() - 2) : host, entry.substr(colon + 1)};
}

bool name_matches(const std::string& host, std::string pattern) {
  if (pattern.starts_with("*.")) pattern.erase(0, 1);
  if (pattern.starts_with('.')) return host.ends_with(pattern);
  return host == pattern || host.ends_with("." + pattern);
}

bool matches(const std::string& entry, const std::string& host,
             const std::optional<ip::address>& address, const std::string& port) {
  if (entry == "*") return true;
  if (entry.find('/') != std::string::npos) return address && in_network(*address, entry);
  const Exception exception = split(entry);
  if (exception.host.empty() || (!exception.port.empty() && exception.port != port)) return false;
  if (const auto excepted = parse_address(exception.host)) return address == excepted;
  return name_matches(host, exception.host);
}

bool goes_directly(const HostPort& target, std::string_view no_proxy) {
  const std::string host = normalised(target.host), port = std::to_string(target.port);
  const auto address = parse_address(host);
  if (host == "localhost" || (address && address->is_loopback())) return true;
  while (!no_proxy.empty()) {
    const std::size_t comma = std::min(no_proxy.find(','), no_proxy.size());
    const std::string entry = normalised(no_proxy.substr(0, comma));
    if (!entry.empty() && matches(entry, host, address, port)) return true;
    no_proxy.remove_prefix(std::min(comma + 1, no_proxy.size()));
  }
  return false;
}

}  // namespace

ProxyEnvironment ProxyEnvironment::from_process() {
  return {first_set("HTTPS_PROXY", "https_proxy"), first_set("NO_PROXY", "no_proxy")};
}

std::string ProxyEnvironment::proxy_for(const HostPort& target) const {
  if (https_proxy.empty() || goes_directly(target, no_proxy)) return {};
  return https_proxy.find("://") == std::string::npos ? "http://" + https_proxy : https_proxy;
}

}  // namespace net
