#pragma once

#include <string>
#include <string_view>

#include "pki/private_key.h"

namespace pki::testing {

inline constexpr std::string_view kOrganizationalUnit =
    "signer-376f797a4e70674464585638704573314d47677278704f44487757426875693349624e716f717968514f553"
    "d";

/// As Go's crypto/x509 makes it for OCM's agent: a subject whose first RDN has two values, and
/// kOrganizationalUnit, whose 95 characters are more than X.509 allows.
extern const std::string_view kRequestOfGo;

/// The certificate of an authority with `key`, valid for a day of the year 2026.
std::string self_signed_authority(const PrivateKey& key);

}  // namespace pki::testing
