#include "addon/secrets.h"

#include <utility>

#include "http/base64.h"

namespace addon {

json::object certificate_secret(const CertificateRequest& request,
                                const pki::IssuedCertificate& issued, json::object owner) {
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", json::object{{"namespace", request.in_namespace},
                                    {"name", request.secret},
                                    {"ownerReferences", json::array{std::move(owner)}}}},
          {"type", "kubernetes.io/tls"},
          {"data", json::object{{"tls.crt", http::base64_encode(issued.chain_pem)},
                                {"tls.key", http::base64_encode(issued.key_pem)}}}};
}

json::object replacing(const json::object& live, json::object wanted) {
  auto& metadata = wanted["metadata"].get_object();
  const auto& there = kube::object_at(live, "metadata");
  for (const char* part : {"resourceVersion", "labels", "annotations", "finalizers"}) {
    if (const auto* value = there.if_contains(part)) metadata[part] = *value;
  }
  const auto* owners = there.if_contains("ownerReferences");
  const bool is_owned = owners != nullptr && owners->is_array() && !owners->get_array().empty();
  if (is_owned) metadata["ownerReferences"] = *owners;
  return wanted;
}

}  // namespace addon
