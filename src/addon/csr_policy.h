#pragma once

#include <string>
#include <string_view>

#include "addon/canonical_json.h"
#include "pki/certificate_authority.h"

/// Which certificate signing requests the manager answers.
namespace addon {

struct CsrContext {
  const json::object& request;            // the CertificateSigningRequest
  const pki::DistinguishedName& subject;  // of the request in it, as pki::Csr read it
  const json::object* managed_cluster;    // of the request's label; nullptr = none
  const json::object* addon;              // of that cluster; nullptr = none
  std::string_view organizational_unit;   // signer_organizational_unit()
};

struct CsrDecision {
  bool yes = false;
  std::string reason;  // why not, for the log and an event; names the rule and what was seen
};

/// Approve only what the cluster's own agent may have: signer, subject, usages and requester must
/// match the registration. What is refused is left alone, never denied: it may be somebody else's.
CsrDecision decide_approval(const CsrContext& context);

/// Sign what is approved, asks our signer, has no certificate yet, and would be approved by
/// decide_approval() too.
CsrDecision decide_signing(const CsrContext& context);

bool is_approved(const json::object& request);
bool is_denied(const json::object& request);
/// The request with the Approved condition added, for PUT .../approval; the original is not
/// touched.
json::object approved(const json::object& request, std::string_view now);

/// The cluster of a request by its label; "" = not ours.
std::string_view cluster_of(const json::object& request);

/// What the certificate of an agent says besides its subject: client only, and which cluster it is.
pki::SigningPolicy agent_certificate_policy(std::string_view cluster);

}  // namespace addon
