#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "tunnel/client/failure.h"

namespace tunnel::local {

/// Who may use a local port; without a name everybody may.
struct Credentials {
  std::string name;
  std::string password;

  bool wanted() const { return !name.empty(); }
  bool match(std::string_view given_name, std::string_view given_password) const;
};

/// The server's half of SOCKS5 up to the request (RFC 1928, RFC 1929). Sans-IO.
///
/// Flow: feed() what comes; next() until it gives nothing; send each step's reply. After the step
/// with a target comes socks5_reply(); after one with a refusal the connection ends.
class Socks5Handshake {
 public:
  struct Step {
    std::string reply;    // bytes for the client
    std::string target;   // "host:port" to connect to; the handshake is over
    std::string refusal;  // why it is over without one, for people
  };

  explicit Socks5Handshake(Credentials credentials) : credentials_(std::move(credentials)) {}

  void feed(base::Bytes bytes) { pending_ += base::as_text(bytes); }
  /// Nothing while more bytes are needed, and after the end.
  std::optional<Step> next();
  /// The bytes behind the request, which belong to the connection.
  std::string take_rest();

 private:
  enum class State { greeting, password, request, over };

  std::optional<Step> greeting();
  std::optional<Step> password();
  std::optional<Step> request();
  Step refuse(std::string reply, std::string reason);
  std::uint8_t byte(std::size_t at) const { return static_cast<std::uint8_t>(pending_[at]); }

  Credentials credentials_;
  std::string pending_;
  State state_ = State::greeting;
};

/// The answer to a request: success, or what comes nearest to the failure.
std::string socks5_reply(std::optional<client::Failure> failure);

}  // namespace tunnel::local
