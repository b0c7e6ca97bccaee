#include "net/address.h"

#include <arpa/inet.h>
#include <array>
#include <charconv>

#include <fmt/format.h>

namespace net {
namespace {

using base::Code;
using base::fail;

std::unexpected<base::Error> bad(std::string_view address, std::string_view why) {
  return fail(Code::invalid, fmt::format("address {}: {}", address, why));
}

struct Service {
  std::string_view name;
  std::uint16_t port;
};
constexpr std::array<Service, 8> kServices{{{"domain", 53},
                                            {"ftp", 21},
                                            {"ftps", 990},
                                            {"gopher", 70},
                                            {"http", 80},
                                            {"https", 443},
                                            {"imap3", 220},
                                            {"ssh", 22}}};

base::Result<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty()) return std::uint16_t{0};
  std::uint32_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool number = error == std::errc() && end == text.data() + text.size();
  if (number && port <= 65535) return static_cast<std::uint16_t>(port);
  for (const Service& service : kServices) {
    if (service.name == text) return service.port;
  }
  if (number || error == std::errc::result_out_of_range) return bad(text, "invalid port");
  return fail(Code::not_found, fmt::format("lookup tcp/{}: unknown port", text));
}

// The host and port texts, by the rules of Go's net.SplitHostPort.
base::Result<std::pair<std::string_view, std::string_view>> split(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return bad(address, "missing port in address");
  std::string_view host = address.substr(0, colon);
  if (address.front() == '[') {
    const std::size_t end = address.find(']');
    if (end == std::string_view::npos) return bad(address, "missing ']' in address");
    if (end + 1 == address.size()) return bad(address, "missing port in address");
    if (end + 1 != colon) {
      return bad(address, address[end + 1] == ':' ? "too many colons in address"
                                                  : "missing port in address");
    }
    host = address.substr(1, end - 1);
  } else if (host.find(':') != std::string_view::npos) {
    return bad(address, "too many colons in address");
  }
  const std::string_view rest =
      address.front() == '[' ? address.substr(address.find(']')) : address;
  if (host.find('[') != std::string_view::npos) return bad(address, "unexpected '[' in address");
  if (rest.substr(address.front() == '[' ? 1 : 0).find(']') != std::string_view::npos) {
    return bad(address, "unexpected ']' in address");
  }
  return std::pair(host, address.substr(colon + 1));
}

}  // namespace

base::Result<HostPort> parse_host_port(std::string_view address) {
  TRY(const auto parts, split(address));
  TRY(const auto port, parse_port(parts.second));
  return HostPort{std::string(parts.first), port};
}

std::string join_host_port(std::string_view host, std::uint16_t port) {
  if (host.find(':') != std::string_view::npos) return fmt::format("[{}]:{}", host, port);
  return fmt::format("{}:{}", host, port);
}

bool is_ip_address(std::string_view host) {
  const std::string text(host.substr(0, host.find('%')));
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

}  // namespace net
