#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/tls.h"
#include "pki/certificate.h"
#include "tunnel/destination.h"

namespace tunnel {

/// One --allow-client: who, and where to. Parts are separated by semicolons:
///
///   cn=GLOB o=GLOB ou=GLOB dns=GLOB ip=GLOB email=GLOB uri=GLOB   of the certificate; all must
///   hold unix                                         a client of a Unix socket, which shows none
///   any                                          everybody
///   cluster=GLOB         one of these clusters; none given: all
///   destination=PATTERN  one of these targets, as the client writes them; none given: all
///
/// for example "o=platform; cluster=*" or "cn=backup; cluster=prod-*; destination=*:5432".
class ClientRule {
 public:
  /// Fails with Code::invalid: what is wrong, and how it is written.
  static base::Result<ClientRule> parse(std::string_view text);

  /// `certificate` is null for a client of a Unix socket.
  bool names(const pki::Certificate* certificate) const;
  /// It names who it means by the URI of their certificates.
  bool names_uri() const;
  bool leads_to(const net::HostPort& target, std::string_view cluster) const;

 private:
  enum class Field { cn, o, ou, dns, ip, email, uri, unix_socket, any };
  struct Term {
    Field field;
    std::string glob;
  };
  base::Result<void> read_part(std::string_view part);
  static bool holds(const Term& term, const pki::Certificate& certificate);

  std::vector<Term> who_;
  std::vector<std::string> clusters_;  // globs
  std::vector<DestinationPattern> destinations_;
};

/// Where one client may go. Immutable; thread: any.
class ClientAccess {
 public:
  /// Why the client, called `name` in texts, must not go to `target`, "host:port", of `cluster`
  /// ("" while no agent is known), and what to do; nothing when it may.
  std::optional<std::string> objection(std::string_view name, const std::string& target,
                                       std::string_view cluster) const;

 private:
  friend class ClientPolicy;
  std::string barred_;  // not empty: it may go nowhere, for this reason
  bool ruled_ = false;  // rules decide
  std::vector<ClientRule> rules_;
};

/// Decides at the frontend who may go where: a certificate that names a cluster is an agent's and
/// opens nothing, unless a rule names it by its URI; where there are rules, only what they name may
/// go, and only where they lead. Immutable; thread: any.
class ClientPolicy {
 public:
  ClientPolicy() = default;
  explicit ClientPolicy(std::vector<ClientRule> rules) : rules_(std::move(rules)) {}

  /// The access of a client that came by TLS, or by a Unix socket.
  std::shared_ptr<const ClientAccess> access_of(const net::TlsStream& stream) const;
  std::shared_ptr<const ClientAccess> access_of_socket() const;

 private:
  std::shared_ptr<const ClientAccess> access(const std::vector<std::string>& clusters,
                                             const pki::Certificate* certificate) const;
  std::vector<ClientRule> rules_;
};

/// A client of a frontend.
struct Client {
  std::string name;                                 // for the log
  std::shared_ptr<const ClientAccess> access = {};  // null: it may go everywhere
};

}  // namespace tunnel
