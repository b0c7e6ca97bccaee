#pragma once

#include <optional>
#include <string>

#include "kube/json.h"
#include "kube/time.h"
#include "pki/certificate_authority.h"

/// The Secret that holds the signing authority, and how one authority follows another without
/// anybody being cut off:
///
///   current ----prepare----> current + next ----switch_over----> next + previous ----retire---->
///   next
///
/// `prepare`: both are trusted, the current one still signs. `switch_over`, when every cluster
/// trusts the next one: that signs, agents enrol anew, what the old one signed is still trusted.
/// `retire`, when nothing the old one signed is valid any more. Keys in the Secret: ca.crt, ca.key,
/// next-ca.crt, next-ca.key, previous-ca.crt.
namespace addon {

namespace json = kube::json;

/// An administrator's wish for another authority: any value. It goes when the change begins.
inline constexpr std::string_view kRotateAnnotation = "proxy.open-cluster-management.io/rotate-ca";
/// When the last step was taken, RFC 3339.
inline constexpr std::string_view kRotatedAnnotation =
    "proxy.open-cluster-management.io/ca-changed-at";

struct SignerSecret {
  pki::CertificateAuthority current;
  std::optional<pki::CertificateAuthority> next;
  std::string previous_pem;  // certificates, or ""
  bool rotation_wanted = false;
  std::optional<kube::WallTime> changed;

  /// Everybody to trust, the signing one first.
  std::string trust_pem() const;
};

/// Code::invalid says what is wrong in the Secret, and the way out.
base::Result<SignerSecret> read_signer_secret(const json::object& secret);

/// The data of a Secret with only this authority in it.
json::object signer_data(const pki::CertificateAuthority& authority);

enum class RotationStep { none, prepare, switch_over, retire };
/// `trusted_everywhere`: each cluster that can be reached has what trust_pem() says.
RotationStep rotation_step(const SignerSecret& secret, kube::WallTime now, bool trusted_everywhere);

/// The Secret after a step. Fails when no new authority can be made.
base::Result<json::object> after_step(json::object secret, RotationStep step, kube::WallTime now);

/// The Secret after somebody put another authority into it while `old` was in force: the old one
/// stays trusted.
json::object with_previous(json::object secret, const pki::CertificateAuthority& old,
                           kube::WallTime now);

/// The bytes of `name` in a Secret's data; nothing when absent or no base64.
std::optional<std::string> secret_data(const json::object& secret, std::string_view name);

}  // namespace addon
