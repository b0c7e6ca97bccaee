#include "tunnel/server/cluster_identity.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pki/digest.h"
#include "tunnel/glob.h"

namespace tunnel {
namespace {

using base::Code;
using base::fail;

// What an agent that announces the default route has to be allowed.
const std::string kDefaultRoute = "default-route";

const std::string kExported = "cluster-proxy-";

// The name under which the add-on's agents register the service proxy of their cluster.
std::string service_proxy_of(std::string_view cluster) {
  constexpr std::size_t kLabel = 56;
  return ("cluster-" + pki::sha256_hex(cluster)).substr(0, kLabel) +
         ".open-cluster-management.proxy";
}

// The name under which they register a service that a ManagedProxyServiceResolver exports.
std::string exported_service_of(std::string_view cluster, std::string_view service) {
  constexpr std::size_t kLabel = 63;
  const std::string hash = pki::sha256_hex(fmt::format("{} {}", cluster, service));
  return (kExported + hash).substr(0, kLabel);
}

bool is_own(std::string_view cluster, std::string_view identifier) {
  if (identifier == service_proxy_of(cluster)) return true;
  if (!identifier.starts_with(cluster)) return false;
  return identifier.size() == cluster.size() || identifier[cluster.size()] == '.';
}

std::string quoted(const std::vector<std::string>& clusters) {
  return fmt::format("\"{}\"", fmt::join(clusters, "\", \""));
}

}  // namespace

base::Result<IdentifierPattern> IdentifierPattern::parse(std::string_view text) {
  constexpr std::string_view kForm =
      "want [CLUSTER=]GLOB or [CLUSTER=]service:NAMESPACE/NAME, for example c1=10.1.*, "
      "*.{cluster}.example.com, c1=default-route, or service:monitoring/prometheus";
  constexpr std::string_view kService = "service:";
  IdentifierPattern pattern;
  const std::size_t equals = text.find('=');
  if (equals != text.npos) {
    pattern.cluster_ = text.substr(0, equals);
    if (pattern.cluster_.empty())
      return fail(Code::invalid, fmt::format("the cluster before '=' is missing; {}", kForm));
    text.remove_prefix(equals + 1);
  }
  pattern.glob_ = text;
  if (text.empty()) return fail(Code::invalid, fmt::format("the name is missing; {}", kForm));
  if (!text.starts_with(kService)) return pattern;
  text.remove_prefix(kService.size());
  const std::size_t slash = text.find('/');
  if (slash == 0 || slash == text.npos || slash + 1 == text.size() ||
      text.find_first_of("*?{/ ", slash + 1) != text.npos ||
      text.substr(0, slash).find_first_of("*?{ ") != text.npos)
    return fail(Code::invalid,
                fmt::format("a service has a namespace and a name, in full: it is known by a hash "
                            "of both; {}",
                            kForm));
  pattern.service_ = fmt::format("{} {}", text.substr(0, slash), text.substr(slash + 1));
  return pattern;
}

// Names of clusters come from certificates: what they hold means itself, never a pattern.
bool IdentifierPattern::allows(std::string_view cluster, std::string_view identifier) const {
  if (!cluster_.empty() && cluster_ != cluster) return false;
  if (!service_.empty()) return identifier == exported_service_of(cluster, service_);
  const std::size_t own = glob_.find(kOwn);
  if (own == glob_.npos) return matches_glob(glob_, identifier);
  const std::string_view before = std::string_view(glob_).substr(0, own);
  const std::string_view after = std::string_view(glob_).substr(own + kOwn.size());
  for (std::size_t at = identifier.find(cluster); at != identifier.npos;
       at = identifier.find(cluster, at + 1)) {
    if (matches_glob(before, identifier.substr(0, at)) &&
        matches_glob(after, identifier.substr(at + cluster.size())))
      return true;
  }
  return false;
}

IdentityPolicy::IdentityPolicy(IdentityMode mode, std::vector<IdentifierPattern> patterns)
    : mode_(mode), patterns_(std::move(patterns)) {}

std::optional<std::string> IdentityPolicy::objection(const std::vector<std::string>& clusters,
                                                     const Identifiers& announced,
                                                     const HeldByOther& held_by_other) const {
  if (clusters.empty()) {
    return "the agent's certificate names no cluster: it needs the URI "
           "urn:open-cluster-management:cluster:NAME among its alternative names; renew it with a "
           "manager that adds it, or with cluster-proxy pki issue agent";
  }
  for (const auto* list : {&announced.host, &announced.ipv4, &announced.ipv6}) {
    for (const std::string& identifier : *list) {
      if (auto reason = objection_to(clusters, identifier, held_by_other)) return reason;
    }
  }
  if (announced.default_route) return objection_to(clusters, kDefaultRoute, held_by_other);
  return std::nullopt;
}

std::optional<std::string> IdentityPolicy::objection_to(const std::vector<std::string>& clusters,
                                                        const std::string& identifier,
                                                        const HeldByOther& held_by_other) const {
  bool shared = false;
  for (const std::string& cluster : clusters) {
    if (is_own(cluster, identifier)) return std::nullopt;
    for (const IdentifierPattern& pattern : patterns_) {
      if (!pattern.allows(cluster, identifier)) continue;
      if (!pattern.shared()) return std::nullopt;
      shared = true;
    }
  }
  if (shared && !held_by_other(identifier, clusters)) return std::nullopt;
  if (shared) {
    return fmt::format(
        "identifier \"{}\" is in use by another cluster, and the agent's certificate is for "
        "cluster {}",
        identifier, quoted(clusters));
  }
  const std::string pattern = identifier.starts_with(kExported)
                                  ? "service:NAMESPACE/NAME, if the cluster exports that service"
                                  : fmt::format("{}={}", clusters.front(), identifier);
  return fmt::format(
      "identifier \"{}\" does not belong to cluster {}, which the agent's certificate is for; "
      "correct --agent-identifiers, or allow it on the server with --cluster-identifiers={}",
      identifier, quoted(clusters), pattern);
}

}  // namespace tunnel
