#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tunnel/identifiers.h"

namespace tunnel {

/// What is done about an agent whose certificate does not name the cluster that it speaks for.
enum class IdentityMode {
  off,      // nothing: as in konnectivity, an agent is believed whatever it says
  warn,     // it is let in, logged and counted
  enforce,  // it is refused
};

/// Identifiers that agents of a cluster may register: [CLUSTER=]GLOB, where "{cluster}" in the glob
/// is the name of the agent's own cluster, or [CLUSTER=]service:NAMESPACE/NAME, the add-on's name
/// of that service in the agent's own cluster. A glob that holds for every cluster and does not
/// name it is *shared*: such a name goes to the cluster that has it first, as long as it is
/// connected.
class IdentifierPattern {
 public:
  /// Fails with Code::invalid: what is wrong, and how it is written.
  static base::Result<IdentifierPattern> parse(std::string_view text);

  bool allows(std::string_view cluster, std::string_view identifier) const;
  bool shared() const { return cluster_.empty() && service_.empty() && !glob_.contains(kOwn); }

 private:
  static constexpr std::string_view kOwn = "{cluster}";
  std::string cluster_;  // empty: of every one
  std::string glob_;
  std::string service_;  // "NAMESPACE NAME"; instead of the glob
};

/// Binds what agents register to the cluster that their certificates name
/// (urn:open-cluster-management:cluster:NAME). Agents of cluster c may register c, c.ANYTHING, the
/// add-on's name of c's service proxy, and what the patterns say. Immutable; thread: any.
class IdentityPolicy {
 public:
  /// Whether an agent of another cluster than these has registered the identifier.
  using HeldByOther =
      std::function<bool(const std::string& identifier, const std::vector<std::string>& clusters)>;

  explicit IdentityPolicy(IdentityMode mode, std::vector<IdentifierPattern> patterns = {});

  IdentityMode mode() const { return mode_; }
  /// Why an agent of `clusters`, by its certificate, must not register `announced`, and what to do;
  /// nothing when it may.
  std::optional<std::string> objection(const std::vector<std::string>& clusters,
                                       const Identifiers& announced,
                                       const HeldByOther& held_by_other) const;

 private:
  std::optional<std::string> objection_to(const std::vector<std::string>& clusters,
                                          const std::string& identifier,
                                          const HeldByOther& held_by_other) const;

  IdentityMode mode_;
  std::vector<IdentifierPattern> patterns_;
};

}  // namespace tunnel
