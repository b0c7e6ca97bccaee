#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "net/dial.h"

namespace tunnel {

/// A set of destinations, as people write it: HOST[:PORT]. HOST is a name in which '*' and '?'
/// stand for other bytes, an address, or a range of addresses (10.0.0.0/8, [fd00::/8]); PORT is one
/// port or a range of them (8000-8100). "*" alone is every host, by name or address.
///
/// Names are compared as asked for, without case and final dot; what a name resolves to is the
/// business of the patterns of addresses. An IPv4 address inside an IPv6 one counts as itself.
class DestinationPattern {
 public:
  /// Fails with Code::invalid: what is wrong, and how it is written.
  static base::Result<DestinationPattern> parse(std::string_view text);

  /// It is about addresses: names match by what they resolve to only.
  bool is_network() const { return network_.has_value(); }
  bool matches(const net::HostPort& target) const;
  bool matches(const boost::asio::ip::address& address, std::uint16_t port) const;
  /// Some port of it is `port`.
  bool has_port(std::uint16_t port) const { return first_port_ <= port && port <= last_port_; }
  const std::string& text() const { return text_; }

 private:
  struct Network {
    boost::asio::ip::address base;
    unsigned bits = 0;  // of `base` that count
  };
  static base::Result<Network> parse_network(std::string_view text);
  base::Result<void> read_host(std::string_view host);
  base::Result<void> read_ports(std::string_view ports);
  bool every_host() const { return !network_ && glob_.find_first_not_of('*') == glob_.npos; }

  std::string text_;
  std::string glob_;  // lower case; of no meaning where there is a network
  std::optional<Network> network_;
  std::uint16_t first_port_ = 0;
  std::uint16_t last_port_ = 65535;
};

/// What an agent may dial: --allow-destination and --deny-destination. What is denied is denied,
/// whatever is allowed; where anything is allowed, all else is denied. A name that is allowed by
/// name may have any address that is not denied; one that is not may have the addresses that are
/// allowed. Immutable; thread: any.
class DestinationRules : public net::DialPolicy {
 public:
  DestinationRules(std::vector<DestinationPattern> allowed, std::vector<DestinationPattern> denied)
      : allowed_(std::move(allowed)), denied_(std::move(denied)) {}

  bool empty() const { return allowed_.empty() && denied_.empty(); }

  base::Result<void> check_target(const net::HostPort& target) const override;
  base::Result<void> check_address(const net::HostPort& target,
                                   const boost::asio::ip::address& address) const override;

 private:
  bool allows(const net::HostPort& target) const;

  std::vector<DestinationPattern> allowed_;
  std::vector<DestinationPattern> denied_;
};

/// How the text of a dial error says that a rule forbids the destination: on konnectivity links the
/// text is all that tells such an error from others.
inline constexpr std::string_view kNotAllowed = "is not allowed";
/// The same, where it is the address that a rule forbids.
inline constexpr std::string_view kAddressNotAllowed = "is not allowed: its address";

}  // namespace tunnel
