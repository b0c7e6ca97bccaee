#include "tunnel/local/socks5.h"

#include <arpa/inet.h>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "net/address.h"

namespace tunnel::local {
namespace {

using client::Failure;
using Step = Socks5Handshake::Step;

constexpr std::uint8_t kVersion = 5;
constexpr std::uint8_t kPasswordVersion = 1;
constexpr std::uint8_t kNoAuthentication = 0;
constexpr std::uint8_t kPassword = 2;
constexpr std::uint8_t kNoneAcceptable = 0xff;
constexpr std::uint8_t kConnect = 1;
enum AddressType : std::uint8_t { ipv4 = 1, name = 3, ipv6 = 4 };
enum Reply : std::uint8_t {
  succeeded = 0,
  general_failure = 1,
  not_allowed = 2,
  network_unreachable = 3,
  host_unreachable = 4,
  refused = 5,
  expired = 6,
  command_unsupported = 7,
  address_unsupported = 8
};

std::string bytes(std::initializer_list<std::uint8_t> values) {
  return {values.begin(), values.end()};
}

/// The address that it was bound to means nothing to anybody here.
std::string reply(Reply code) { return bytes({kVersion, code, 0, ipv4, 0, 0, 0, 0, 0, 0}); }

std::string wrong_version(std::uint8_t version) {
  if (version == 4) return "the client speaks SOCKS4; this port is for SOCKS5 (socks5h://)";
  if (version >= 'A' && version <= 'Z')
    return "the client speaks HTTP; this port is for SOCKS5 (socks5h://)";
  return fmt::format("the client does not speak SOCKS5 (it begins with byte {})", version);
}

std::string address_text(int family, const char* bytes_of) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, bytes_of, text.data(), text.size());
  return text.data();
}

bool is_host_name(std::string_view host) {
  for (const char c : host) {
    const auto value = static_cast<unsigned char>(c);
    if (value <= 0x20 || value >= 0x7f || std::string_view("/@:[]\\\"").contains(c)) return false;
  }
  return !host.empty();
}

bool same(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned>(a[i] ^ b[i % std::max<std::size_t>(b.size(), 1)]);
  return difference == 0;
}

}  // namespace

// In a time that does not tell how much was right.
bool Credentials::match(std::string_view given_name, std::string_view given_password) const {
  const bool name_fits = same(given_name, name);
  const bool password_fits = same(given_password, password);
  return name_fits && password_fits;
}

std::optional<Step> Socks5Handshake::next() {
  switch (state_) {
    case State::greeting:
      return greeting();
    case State::password:
      return password();
    case State::request:
      return request();
    case State::over:
      break;
  }
  return std::nullopt;
}

std::string Socks5Handshake::take_rest() { return std::exchange(pending_, {}); }

Step Socks5Handshake::refuse(std::string reply_bytes, std::string reason) {
  state_ = State::over;
  return {.reply = std::move(reply_bytes), .refusal = std::move(reason)};
}

std::optional<Step> Socks5Handshake::greeting() {
  if (pending_.empty()) return std::nullopt;
  if (byte(0) != kVersion) return refuse("", wrong_version(byte(0)));
  if (pending_.size() < 2 || pending_.size() < 2U + byte(1)) return std::nullopt;
  const std::string methods = pending_.substr(2, byte(1));
  pending_.erase(0, 2 + methods.size());
  const std::uint8_t wanted = credentials_.wanted() ? kPassword : kNoAuthentication;
  if (!methods.contains(static_cast<char>(wanted))) {
    return refuse(bytes({kVersion, kNoneAcceptable}),
                  credentials_.wanted() ? "the client gives no user name and password"
                                        : "the client insists on authentication");
  }
  state_ = credentials_.wanted() ? State::password : State::request;
  return Step{.reply = bytes({kVersion, wanted})};
}

std::optional<Step> Socks5Handshake::password() {
  if (pending_.size() < 2) return std::nullopt;
  const std::size_t name_size = byte(1);
  if (pending_.size() < 3 + name_size) return std::nullopt;
  const std::size_t password_size = byte(2 + name_size);
  if (pending_.size() < 3 + name_size + password_size) return std::nullopt;
  const std::string given_name = pending_.substr(2, name_size);
  const std::string given_password = pending_.substr(3 + name_size, password_size);
  const bool fits = byte(0) == kPasswordVersion && credentials_.match(given_name, given_password);
  pending_.erase(0, 3 + name_size + password_size);
  if (!fits) return refuse(bytes({kPasswordVersion, 1}), "wrong user name or password");
  state_ = State::request;
  return Step{.reply = bytes({kPasswordVersion, 0})};
}

std::optional<Step> Socks5Handshake::request() {
  constexpr std::size_t kHead = 4;
  if (pending_.size() < kHead + 1) return std::nullopt;
  if (byte(0) != kVersion) return refuse("", wrong_version(byte(0)));
  const std::uint8_t type = byte(3);
  if (type != ipv4 && type != name && type != ipv6) {
    return refuse(reply(address_unsupported), fmt::format("address type {} is unknown", type));
  }
  const std::size_t begin = type == name ? kHead + 1 : kHead;
  const std::size_t size = type == ipv4 ? 4 : type == ipv6 ? 16 : byte(kHead);
  if (pending_.size() < begin + size + 2) return std::nullopt;
  const std::string address = pending_.substr(begin, size);
  const auto port = static_cast<std::uint16_t>(byte(begin + size) << 8 | byte(begin + size + 1));
  const std::uint8_t command = byte(1);
  pending_.erase(0, begin + size + 2);
  if (command != kConnect) {
    return refuse(reply(command_unsupported),
                  fmt::format("SOCKS command {} is not there; only CONNECT is", command));
  }
  if (type == name && !is_host_name(address))
    return refuse(reply(general_failure), "the name asked for is none");
  state_ = State::over;
  const std::string host =
      type == name ? address : address_text(type == ipv4 ? AF_INET : AF_INET6, address.data());
  return Step{.target = net::join_host_port(host, port)};
}

std::string socks5_reply(std::optional<Failure> failure) {
  if (!failure) return reply(succeeded);
  switch (*failure) {
    case Failure::not_allowed:
      return reply(not_allowed);
    case Failure::refused:
      return reply(refused);
    case Failure::timed_out:
      return reply(expired);
    case Failure::unreachable:
      return reply(network_unreachable);
    case Failure::no_agent:
    case Failure::not_resolved:
      return reply(host_unreachable);
    default:
      return reply(general_failure);
  }
}

}  // namespace tunnel::local
