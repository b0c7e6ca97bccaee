#include "tunnel/server/client_rules.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "net/address.h"
#include "pki/identity.h"
#include "tunnel/glob.h"

namespace tunnel {
namespace {

using base::Code;
using base::fail;
using base::Result;

constexpr std::string_view kForm =
    "want WHO; WHERE, for example \"cn=backup; cluster=prod-*; destination=*:5432\", with WHO out "
    "of cn=, o=, ou=, dns=, ip=, email=, uri=, unix, any, and WHERE out of cluster=, destination=";

std::unexpected<base::Error> bad(std::string_view what) {
  return fail(Code::invalid, fmt::format("{}; {}", what, kForm));
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool any_matches(const std::string& glob, const std::vector<std::string>& values) {
  return std::ranges::any_of(values,
                             [&](const std::string& value) { return matches_glob(glob, value); });
}

}  // namespace

Result<ClientRule> ClientRule::parse(std::string_view text) {
  ClientRule rule;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view part = trimmed(text.substr(0, end));
    if (!part.empty()) TRY_VOID(rule.read_part(part));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (rule.who_.empty()) return bad("it does not say who");
  return rule;
}

Result<void> ClientRule::read_part(std::string_view part) {
  constexpr std::array<std::pair<std::string_view, Field>, 7> kFields = {{{"cn", Field::cn},
                                                                          {"o", Field::o},
                                                                          {"ou", Field::ou},
                                                                          {"dns", Field::dns},
                                                                          {"ip", Field::ip},
                                                                          {"email", Field::email},
                                                                          {"uri", Field::uri}}};
  if (part == "unix" || part == "any") {
    who_.push_back({part == "any" ? Field::any : Field::unix_socket, ""});
    return {};
  }
  const std::size_t equals = std::min(part.find('='), part.size());
  const std::string_view key = trimmed(part.substr(0, equals));
  const std::string value(trimmed(part.substr(std::min(equals + 1, part.size()))));
  if (value.empty()) return bad(fmt::format("\"{}\" has no value", part));
  if (key == "cluster") {
    clusters_.push_back(value);
    return {};
  }
  if (key == "destination") {
    TRY(auto pattern, DestinationPattern::parse(value));
    destinations_.push_back(std::move(pattern));
    return {};
  }
  const auto known = std::ranges::find(kFields, key, &std::pair<std::string_view, Field>::first);
  if (known == kFields.end()) return bad(fmt::format("\"{}\" is not known", key));
  who_.push_back({known->second, value});
  return {};
}

bool ClientRule::holds(const Term& term, const pki::Certificate& certificate) {
  switch (term.field) {
    case Field::cn:
      return matches_glob(term.glob, certificate.subject.common_name);
    case Field::o:
      return any_matches(term.glob, certificate.subject.organizations);
    case Field::ou:
      return any_matches(term.glob, certificate.subject.organizational_units);
    case Field::dns:
      return any_matches(term.glob, certificate.alt_names.dns);
    case Field::ip:
      return any_matches(term.glob, certificate.alt_names.ips);
    case Field::email:
      return any_matches(term.glob, certificate.alt_names.emails);
    case Field::uri:
      return any_matches(term.glob, certificate.alt_names.uris);
    case Field::unix_socket:
      return false;
    case Field::any:
      return true;
  }
  return false;
}

bool ClientRule::names(const pki::Certificate* certificate) const {
  return std::ranges::all_of(who_, [&](const Term& term) {
    if (certificate != nullptr) return holds(term, *certificate);
    return term.field == Field::unix_socket || term.field == Field::any;
  });
}

bool ClientRule::names_uri() const {
  return std::ranges::any_of(who_, [](const Term& term) { return term.field == Field::uri; });
}

bool ClientRule::leads_to(const net::HostPort& target, std::string_view cluster) const {
  const auto is_target = [&](const DestinationPattern& pattern) { return pattern.matches(target); };
  const auto is_cluster = [&](const std::string& glob) { return matches_glob(glob, cluster); };
  // Without an agent there is no cluster yet, and nowhere to go.
  const bool cluster_fits =
      clusters_.empty() || cluster.empty() || std::ranges::any_of(clusters_, is_cluster);
  return cluster_fits && (destinations_.empty() || std::ranges::any_of(destinations_, is_target));
}

std::optional<std::string> ClientAccess::objection(std::string_view name, const std::string& target,
                                                   std::string_view cluster) const {
  if (!barred_.empty()) return fmt::format("client {} {}", name, barred_);
  if (!ruled_) return std::nullopt;
  const auto parsed = net::parse_host_port(target);
  const auto leads = [&](const ClientRule& rule) {
    return parsed && rule.leads_to(*parsed, cluster);
  };
  if (std::ranges::any_of(rules_, leads)) return std::nullopt;
  const std::string whose = cluster.empty() ? "" : fmt::format(" of cluster \"{}\"", cluster);
  return fmt::format(
      "client {} is not allowed to reach {}{}: no --allow-client rule of the server that names it "
      "leads there",
      name, target, whose);
}

std::shared_ptr<const ClientAccess> ClientPolicy::access_of(const net::TlsStream& stream) const {
  const std::vector<std::string> clusters = pki::clusters_named(stream.peer_uris());
  if (rules_.empty()) return access(clusters, nullptr);
  // Who shows nothing that can be read is nobody, and no client of a socket either.
  const pki::Certificate certificate =
      pki::decode_certificate(stream.peer_certificate()).value_or(pki::Certificate());
  return access(clusters, &certificate);
}

std::shared_ptr<const ClientAccess> ClientPolicy::access_of_socket() const {
  return access({}, nullptr);
}

std::shared_ptr<const ClientAccess> ClientPolicy::access(
    const std::vector<std::string>& clusters, const pki::Certificate* certificate) const {
  if (rules_.empty() && clusters.empty()) return nullptr;
  auto made = std::make_shared<ClientAccess>();
  made->ruled_ = !rules_.empty();
  for (const ClientRule& rule : rules_) {
    if (rule.names(certificate) && (clusters.empty() || rule.names_uri()))
      made->rules_.push_back(rule);
  }
  if (!clusters.empty() && made->rules_.empty()) {
    made->barred_ = fmt::format(
        "is not allowed: its certificate is that of an agent, of cluster \"{}\", and opens the "
        "agents' port only; give clients a certificate of their own, or name this one by its uri= "
        "in an --allow-client rule of the server",
        fmt::join(clusters, "\", \""));
  } else if (made->ruled_ && made->rules_.empty()) {
    made->barred_ = "is not allowed: no --allow-client rule of the server names it";
  }
  return made;
}

}  // namespace tunnel
