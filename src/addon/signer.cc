#include "addon/signer.h"

#include <algorithm>
#include <utility>

#include "addon/addon_status.h"
#include "addon/conditions.h"
#include "addon/hashes.h"
#include "addon/names.h"
#include "base/log.h"
#include "http/base64.h"

namespace addon {
namespace {

// The agents' copy of the CA on their cluster.
constexpr std::string_view kAgentCaSecret = "cluster-proxy-ca";

// The authority's, and those of the Secrets that every configuration wants.
constexpr std::size_t kFirstKeys = 4;

bool is_owned_by(const json::object& secret, std::string_view uid) {
  const auto* references = kube::object_at(secret, "metadata").if_contains("ownerReferences");
  if (references == nullptr || !references->is_array()) return false;
  return std::ranges::any_of(references->get_array(), [&](const json::value& each) {
    return each.is_object() && kube::text_at(each.get_object(), "uid") == uid;
  });
}

/// The cluster's agents' copy of the CA, as a work carries it; "" when it is not in this one.
std::string_view carried_ca(const json::object& work) {
  const auto& workload = kube::object_at(kube::object_at(work, "spec"), "workload");
  const auto* manifests = workload.if_contains("manifests");
  if (manifests == nullptr || !manifests->is_array()) return "";
  for (const auto& each : manifests->get_array()) {
    const auto* manifest = each.if_object();
    if (manifest != nullptr && kube::text_at(*manifest, "kind") == "Secret" &&
        kube::name_of(*manifest) == kAgentCaSecret)
      return kube::text_at(kube::object_at(*manifest, "data"), "ca.crt");
  }
  return "";
}

std::string_view step_name(RotationStep step) {
  switch (step) {
    case RotationStep::prepare:
      return "made the next authority; clusters learn to trust it";
    case RotationStep::switch_over:
      return "the next authority signs now; agents enrol anew";
    case RotationStep::retire:
      return "the previous authority is trusted no more";
    case RotationStep::none:
      break;
  }
  return "";
}

}  // namespace

bool carries_trust(const json::object& work, std::string_view ca_pem) {
  const auto carried = carried_ca(work);
  if (carried.empty()) return true;  // another part of the same deployment
  const auto* applied = find_condition(work, "Applied");
  const auto generation = kube::integer_at(kube::object_at(work, "metadata"), "generation");
  return carried == http::base64_encode(ca_pem) && condition_is_true(work, "Applied") &&
         kube::integer_at(*applied, "observedGeneration") == generation;
}

Signer::Signer(async::Executor executor, Hub& hub, Options options)
    : hub_(hub), options_(std::move(options)), keys_(std::move(executor)) {}

void Signer::prepare() {
  if (!secrets().get({options_.in_namespace, options_.secret})) keys_.want(kFirstKeys);
}

CachedKind& Signer::secrets() const { return hub_.find_namespace(options_.in_namespace)->secrets; }

kube::Task<void> Signer::ensure(json::object owner) {
  CO_TRY_VOID(co_await hub_.in_namespace(options_.in_namespace));
  auto secret = secrets().get({options_.in_namespace, options_.secret});
  if (!secret) {
    CO_TRY(secret, co_await create(owner));
  } else if (!is_owned_by(*secret, kube::text_at(owner, "uid"))) {
    CO_TRY(secret, co_await adopt(secret, owner));
  }
  CO_TRY(auto found, read(*secret));
  CO_TRY(const auto rotated, co_await rotate(secret, found));
  if (rotated != secret) {
    CO_TRY(found, read(*rotated));
  }
  CO_TRY_VOID(use(std::move(found)));
  co_return kube::Result<void>{};
}

kube::Task<ObjectPtr> Signer::create(json::object owner) {
  CO_TRY(auto key, co_await keys_.take());
  CO_TRY(const auto made,
         pki::CertificateAuthority::create(std::string(kSignerCommonName), std::move(key),
                                           hub_.clock().wall_now()));
  LOG_INFO("making the signing authority", {"namespace", options_.in_namespace},
           {"secret", options_.secret});
  co_return co_await secrets().writer.create(
      {{"apiVersion", "v1"},
       {"kind", "Secret"},
       {"metadata", json::object{{"namespace", options_.in_namespace},
                                 {"name", options_.secret},
                                 {"ownerReferences", json::array{std::move(owner)}}}},
       {"type", "Opaque"},
       {"data", signer_data(made)}});
}

kube::Task<pki::IssuedCertificate> Signer::issue(pki::LeafRequest request) {
  CO_TRY(const auto key, co_await keys_.take());
  co_return authority().issue(request, key, hub_.clock().wall_now());
}

kube::Task<ObjectPtr> Signer::adopt(ObjectPtr secret, json::object owner) {
  json::object changed = *secret;
  changed["metadata"].get_object()["ownerReferences"] = json::array{std::move(owner)};
  co_return co_await secrets().writer.update(std::move(changed));
}

// Also where somebody exchanged the authority by hand while we used another one.
kube::Task<ObjectPtr> Signer::rotate(ObjectPtr secret, const SignerSecret& found) {
  const auto now = hub_.clock().wall_now();
  if (secret_ && !found.trust_pem().contains(secret_->current.certificate_pem())) {
    LOG_INFO("another signing authority; what the old one signed stays trusted",
             {"secret", options_.secret});
    co_return co_await secrets().writer.update(with_previous(*secret, secret_->current, now));
  }
  const auto step = rotation_step(found, now, trusted_everywhere(found.trust_pem()));
  if (step == RotationStep::none) co_return secret;
  CO_TRY(auto changed, after_step(*secret, step, now));
  LOG_INFO("changing the signing authority", {"secret", options_.secret},
           {"step", step_name(step)});
  co_return co_await secrets().writer.update(std::move(changed));
}

// A cluster that cannot be reached now does not hold up the others; its work waits for it.
bool Signer::trusted_everywhere(const std::string& trust_pem) const {
  return std::ranges::all_of(hub_.works.informer.store().list(), [&](const ObjectPtr& work) {
    const auto cluster = hub_.clusters.get({"", std::string(kube::namespace_of(*work))});
    const bool is_reachable =
        cluster && condition_is_true(*cluster, "ManagedClusterConditionAvailable");
    return !is_reachable || carries_trust(*work, trust_pem);
  });
}

base::Result<SignerSecret> Signer::read(const json::object& secret) const {
  auto found = read_signer_secret(secret);
  if (found) return found;
  return base::fail(std::move(found).error().within(
      fmt::format("Secret {}/{}", options_.in_namespace, options_.secret)));
}

base::Result<void> Signer::use(SignerSecret found) {
  TRY(auto unit, signer_organizational_unit(found.current.certificate_pem()));
  auto trust = found.trust_pem();
  const bool changed = trust != trust_pem_ || unit != organizational_unit_;
  secret_ = std::move(found);
  organizational_unit_ = std::move(unit);
  trust_pem_ = std::move(trust);
  if (changed) {
    for (const auto& handler : handlers_) handler();
  }
  return {};
}

}  // namespace addon
