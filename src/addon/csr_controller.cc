#include "addon/csr_controller.h"

#include <utility>

#include <boost/json/serialize.hpp>

#include "addon/conditions.h"
#include "addon/csr_policy.h"
#include "addon/names.h"
#include "base/log.h"
#include "http/base64.h"
#include "kube/time.h"
#include "pki/csr.h"

namespace addon {
namespace {

using controller::Outcome;

base::Result<pki::Csr> csr_of(const json::object& request) {
  const auto pem = http::base64_decode(kube::text_at(kube::object_at(request, "spec"), "request"));
  if (!pem) return base::fail(base::Code::invalid, "spec.request is no base64");
  return pki::Csr::parse(*pem);
}

/// What the agent says of its certificates; "" before it has one.
std::string certificate_news(const ObjectPtr& addon) {
  const auto* condition = addon ? find_condition(*addon, "ClusterCertificateRotated") : nullptr;
  return condition != nullptr ? json::serialize(*condition) : "";
}

/// How soon others may write to the add-on, now that the agent or somebody else has: OCM goes on
/// until the agent's manifests are rolled out.
async::Duration calm_after(const json::object& addon, bool reacted) {
  const auto* progress = find_condition(addon, "Progressing");
  if (progress == nullptr) return CertificatePacing::kCalm;
  if (kube::text_at(*progress, "reason") != "Completed")
    return CertificatePacing::kCalmBeforeOthers;
  return reacted ? CertificatePacing::kCalmAfterReaction : CertificatePacing::kCalmAfterRollout;
}

std::string_view signer_of(const json::object& request) {
  return kube::text_at(kube::object_at(request, "spec"), "signerName");
}

bool has_certificate(const json::object& request) {
  return !kube::text_at(kube::object_at(request, "status"), "certificate").empty();
}

}  // namespace

CsrController::CsrController(Hub& hub, Signer& signer) : hub_(hub), signer_(signer) {
  hub_.requests.informer.store().add_index("cluster", [](const json::object& request) {
    return std::vector{std::string(cluster_of(request))};
  });
}

void CsrController::subscribe(controller::Controller& controller) {
  controller.watch(hub_.requests.informer);
  const auto wake = [this, &controller](const std::string& cluster) {
    for (const auto& request : hub_.requests.informer.store().find("cluster", cluster))
      controller.queue().add(controller::key_of(*request));
  };
  hub_.addons.informer.on_change([this, wake](const ObjectPtr& before, const ObjectPtr& after) {
    const std::string cluster(kube::namespace_of(after ? *after : *before));
    if (!after) return pacing_.forget(cluster);
    const auto now = hub_.clock().now();
    const bool reacted = certificate_news(before) != certificate_news(after);
    pacing_.addon_changed(cluster, now, calm_after(*after, reacted));
    if (reacted) pacing_.agent_reacted(cluster, now);
    wake(cluster);
  });
  signer_.on_change([this, &controller] {
    for (const auto& request : hub_.requests.informer.store().list())
      controller.queue().add(controller::key_of(*request));
  });
  hub_.clusters.informer.on_change([wake](const ObjectPtr&, const ObjectPtr& after) {
    if (after) wake(std::string(kube::name_of(*after)));
  });
}

kube::Task<Outcome> CsrController::reconcile(ObjectKey key) {
  auto request = hub_.requests.get(key);
  if (!request || has_certificate(*request) || is_denied(*request)) {
    first_seen_.erase(key.name);
    refused_.erase(key.name);
    co_return Outcome{};
  }
  if (!signer_.ready()) co_return Outcome{};  // its change wakes every request
  const std::string cluster(cluster_of(*request));
  const auto csr = csr_of(*request);
  if (!csr) {
    refuse(*request, csr.error().message);
    co_return Outcome{};
  }
  const auto managed_cluster = hub_.clusters.get({"", cluster});
  const auto addon = hub_.addons.get({cluster, std::string(kAddonName)});
  const auto context = [&](const json::object& of) {
    return CsrContext{of, csr->subject(), managed_cluster.get(), addon.get(),
                      signer_.organizational_unit()};
  };
  if (!is_approved(*request)) {
    const auto decision = decide_approval(context(*request));
    if (!decision.yes) {
      refuse(*request, decision.reason);
      co_return Outcome{};
    }
    const auto pause = pause_before(*request, cluster);
    if (pause > async::Duration::zero()) co_return Outcome{.again_after = pause};
    note_answer(*request);  // before others can write in between
    CO_TRY(request, co_await approve(request));
  }
  if (decide_signing(context(*request)).yes) {
    CO_TRY_VOID(co_await sign(request, *csr));
    note_answer(*request);
  }
  co_return Outcome{};
}

kube::Task<ObjectPtr> CsrController::approve(ObjectPtr request) {
  LOG_INFO("approving an agent's certificate", {"request", kube::name_of(*request)},
           {"cluster", cluster_of(*request)});
  co_return co_await hub_.requests.writer.update(
      approved(*request, kube::format_time(hub_.clock().wall_now())), "approval");
}

kube::Task<void> CsrController::sign(ObjectPtr request, const pki::Csr& csr) {
  const auto policy = agent_certificate_policy(cluster_of(*request));
  CO_TRY(const auto pem, signer_.authority().sign(csr, policy, hub_.clock().wall_now()));
  json::object signed_request = *request;
  signed_request["status"].get_object()["certificate"] = http::base64_encode(pem);
  LOG_INFO("signing an agent's certificate", {"request", kube::name_of(*request)},
           {"cluster", cluster_of(*request)});
  CO_TRY_VOID(co_await hub_.requests.writer.update(std::move(signed_request), "status"));
  co_return kube::Result<void>{};
}

void CsrController::refuse(const json::object& request, const std::string& reason) {
  auto& told = refused_[std::string(kube::name_of(request))];
  if (told == reason) return;
  told = reason;
  LOG_WARN("not approving a certificate request", {"request", kube::name_of(request)},
           {"cluster", cluster_of(request)}, {"reason", reason});
  hub_.warn(request, "NotApproved", reason);
}

void CsrController::note_answer(const json::object& request) {
  pacing_.answered(std::string(cluster_of(request)), signer_of(request), hub_.clock().now());
}

async::Duration CsrController::pause_before(const json::object& request,
                                            const std::string& cluster) {
  const auto now = hub_.clock().now();
  const auto [seen, is_new] = first_seen_.try_emplace(std::string(kube::name_of(request)), now);
  if (is_new) pacing_.asked(cluster, signer_of(request), now);
  const auto pause = pacing_.before_answer(cluster, seen->second, now);
  if (pause == async::Duration::zero()) first_seen_.erase(seen);
  return pause;
}

}  // namespace addon
