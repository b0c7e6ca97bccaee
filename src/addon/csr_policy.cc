#include "addon/csr_policy.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "addon/conditions.h"
#include "addon/names.h"
#include "addon/object.h"
#include "pki/identity.h"

namespace addon {
namespace {

/// The server of registration agents that speak gRPC instead of Kubernetes: it asks in their name.
constexpr std::string_view kGrpcServer =
    "system:serviceaccount:open-cluster-management-hub:grpc-server-sa";
constexpr std::string_view kGrpcUserAnnotation = "open-cluster-management.io/csr-user";
constexpr std::array<std::string_view, 3> kUsages = {"digital signature", "key encipherment",
                                                     "client auth"};

using Reason = std::optional<std::string>;

/// Organizations and units are sets.
std::set<std::string_view> set_of(const std::vector<std::string>& list) {
  return {list.begin(), list.end()};
}

bool same(const pki::DistinguishedName& a, const pki::DistinguishedName& b) {
  return a.common_name == b.common_name && set_of(a.organizations) == set_of(b.organizations) &&
         set_of(a.organizational_units) == set_of(b.organizational_units);
}

std::string described(const pki::DistinguishedName& subject) {
  return fmt::format("CN={} O=[{}] OU=[{}]", subject.common_name,
                     fmt::join(subject.organizations, ","),
                     fmt::join(subject.organizational_units, ","));
}

/// Who may be certified by a signer; nothing for a signer that is not ours to answer.
std::optional<pki::DistinguishedName> registered(std::string_view signer,
                                                 std::string_view organizational_unit) {
  const std::vector<std::string> groups = {std::string(kAgentGroup)};
  if (signer == kKubeClientSigner) {
    return pki::DistinguishedName{.common_name = std::string(kAddonAgentUser),
                                  .organizations = groups,
                                  .organizational_units = {},
                                  .text = {}};
  }
  if (signer == kCustomSigner) {
    return pki::DistinguishedName{.common_name = std::string(kProxyAgentUser),
                                  .organizations = groups,
                                  .organizational_units = {std::string(organizational_unit)},
                                  .text = {}};
  }
  return std::nullopt;
}

Reason wrong_names(const json::object& request) {
  const auto addon = label_of(request, kAddonNameLabel);
  if (addon != kAddonName)
    return fmt::format("label {} is \"{}\", not ours", kAddonNameLabel, addon);
  if (!name_of(request).starts_with("addon")) return "its name does not begin with \"addon\"";
  if (cluster_of(request).empty()) return fmt::format("label {} is missing", kClusterNameLabel);
  return std::nullopt;
}

Reason wrong_cluster(const CsrContext& context) {
  const auto cluster = cluster_of(context.request);
  if (context.managed_cluster == nullptr)
    return fmt::format("ManagedCluster {} does not exist", cluster);
  if (!true_at(object_at(*context.managed_cluster, "spec"), "hubAcceptsClient")) {
    return fmt::format("the hub does not accept ManagedCluster {} (spec.hubAcceptsClient)",
                       cluster);
  }
  if (context.addon == nullptr || is_being_deleted(*context.addon)) {
    return fmt::format("ManagedClusterAddOn {}/{} does not exist or is being deleted", cluster,
                       kAddonName);
  }
  return std::nullopt;
}

Reason wrong_usages(const json::object& spec) {
  for (const auto& usage : texts_at(spec, "usages")) {
    if (!contains(kUsages, usage)) {
      return fmt::format("usage \"{}\" is none of: {}", usage, fmt::join(kUsages, ", "));
    }
  }
  return std::nullopt;
}

Reason wrong_requester(const json::object& request) {
  auto user = text_at(object_at(request, "spec"), "username");
  if (user == kGrpcServer) user = annotation_of(request, kGrpcUserAnnotation);
  const auto prefix = fmt::format("system:open-cluster-management:{}:", cluster_of(request));
  if (user.starts_with(prefix)) return std::nullopt;
  return fmt::format("requester \"{}\" is no agent of the cluster ({}...)", user, prefix);
}

Reason wrong_subject(const CsrContext& context) {
  const auto signer = text_at(object_at(context.request, "spec"), "signerName");
  const auto wanted = registered(signer, context.organizational_unit);
  if (!wanted) return fmt::format("signer \"{}\" is not one of ours", signer);
  if (same(context.subject, *wanted)) return std::nullopt;
  return fmt::format("subject {} is not the registered {}", described(context.subject),
                     described(*wanted));
}

/// The first rule that is broken.
Reason broken_rule(const CsrContext& context) {
  if (auto reason = wrong_names(context.request)) return reason;
  if (auto reason = wrong_cluster(context)) return reason;
  if (auto reason = wrong_subject(context)) return reason;
  if (auto reason = wrong_requester(context.request)) return reason;
  return wrong_usages(object_at(context.request, "spec"));
}

CsrDecision decision(Reason reason) {
  return {.yes = !reason.has_value(), .reason = std::move(reason).value_or("")};
}

CsrDecision no(std::string reason) { return {.yes = false, .reason = std::move(reason)}; }

}  // namespace

CsrDecision decide_approval(const CsrContext& context) {
  if (is_approved(context.request)) return no("approved already");
  if (is_denied(context.request)) return no("denied");
  return decision(broken_rule(context));
}

CsrDecision decide_signing(const CsrContext& context) {
  if (!is_approved(context.request)) return no("not approved");
  if (is_denied(context.request)) return no("denied");
  if (!text_at(object_at(context.request, "status"), "certificate").empty())
    return no("signed already");
  const auto signer = text_at(object_at(context.request, "spec"), "signerName");
  if (signer != kCustomSigner) return no(fmt::format("signer \"{}\" signs it, not we", signer));
  return decision(broken_rule(context));
}

bool is_approved(const json::object& request) {
  return find_condition(request, "Approved") != nullptr;
}
bool is_denied(const json::object& request) {
  return (find_condition(request, "Denied") != nullptr) ||
         (find_condition(request, "Failed") != nullptr);
}

json::object approved(const json::object& request, std::string_view now) {
  json::object result = request;
  make_array(make_object(result, "status"), "conditions")
      .push_back({{"type", "Approved"},
                  {"status", "True"},
                  {"reason", "AutoApprovedByHubCSRApprovingController"},
                  {"message", "Auto approving addon agent certificate."},
                  {"lastUpdateTime", now}});
  return result;
}

std::string_view cluster_of(const json::object& request) {
  return label_of(request, kClusterNameLabel);
}

pki::SigningPolicy agent_certificate_policy(std::string_view cluster) {
  pki::SigningPolicy policy{.usages = {pki::ExtendedKeyUsage::client_auth}, .alt_names = {}};
  policy.alt_names.uris.push_back(pki::cluster_uri(cluster));
  return policy;
}

}  // namespace addon
