#pragma once

#include "addon/certificates.h"
#include "addon/signer.h"
#include "pki/certificate_authority.h"

/// Certificates as Secrets.
namespace addon {

/// The Secret of type kubernetes.io/tls for an issued certificate.
json::object certificate_secret(const CertificateRequest& request,
                                const pki::IssuedCertificate& issued, json::object owner);
/// `wanted` in the place of `live`: its resource version, labels, annotations and owners stay.
json::object replacing(const json::object& live, json::object wanted);

}  // namespace addon
