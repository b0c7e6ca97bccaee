#include "pki/names.h"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

namespace pki {

namespace ip = boost::asio::ip;

std::string canonical_ip(const std::string& text) {
  boost::system::error_code error;
  const auto address = ip::make_address(text, error);
  if (error || text.contains('%')) return {};
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

base::Result<AltNames> alt_names_of_hosts(std::vector<std::string> hosts) {
  std::ranges::sort(hosts);
  const auto repeated = std::ranges::unique(hosts);
  hosts.erase(repeated.begin(), repeated.end());
  if (hosts.empty()) return base::fail(base::Code::invalid, "no host to name in the certificate");
  AltNames names;
  for (const auto& host : hosts) {
    if (host.empty()) return base::fail(base::Code::invalid, "an empty host name");
    if (auto address = canonical_ip(host); !address.empty()) {
      names.ips.push_back(std::move(address));
    } else {
      names.dns.push_back(host);
    }
  }
  names.dns.insert(names.dns.end(), names.ips.begin(), names.ips.end());
  return names;
}

}  // namespace pki
