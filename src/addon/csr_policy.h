#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "addon/canonical_json.h"

/// Which certificate signing requests the manager answers.
namespace addon {

/// The subject of a request, or of a registration. Organizations and units are sets.
struct Subject {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> organizational_units;

  bool operator==(const Subject& other) const;
};

struct CsrContext {
  const json::object& request;           // the CertificateSigningRequest
  const Subject& subject;                // of the PKCS#10 in it, its signature verified
  const json::object* managed_cluster;   // of the request's label; nullptr = none
  const json::object* addon;             // of that cluster; nullptr = none
  std::string_view organizational_unit;  // signer_organizational_unit()
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
struct AgentCertificate {
  bool server_auth = false;
  std::vector<std::string> uri_sans;  // cluster_uri()
};
AgentCertificate agent_certificate(std::string_view cluster);
/// "urn:open-cluster-management:cluster:<name>".
std::string cluster_uri(std::string_view cluster);

}  // namespace addon
