#include "addon/agent_registration.h"

#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "addon/addon_configs.h"
#include "addon/addon_status.h"
#include "addon/conditions.h"
#include "addon/hub_rbac.h"
#include "addon/names.h"
#include "addon/object.h"
#include "base/check.h"
#include "base/log.h"
#include "kube/account.h"

namespace addon {
namespace {

json::object with_rules_of(json::object live, const json::object& wanted) {
  for (const char* part : {"rules", "subjects", "roleRef"}) {
    if (const auto* value = wanted.if_contains(part)) live[part] = *value;
  }
  for (const auto& owner : array_at(object_at(wanted, "metadata"), "ownerReferences")) {
    kube::add_owner(live, owner.get_object());
  }
  return live;
}

}  // namespace

AgentRegistration::AgentRegistration(Hub& hub, const Signer& signer, std::string install_namespace)
    : hub_(hub), signer_(signer), install_namespace_(std::move(install_namespace)) {}

// In one pass, where the reference needs three and reads back its own writes in between.
kube::Task<void> AgentRegistration::apply(ObjectPtr addon, const DeploymentConfig* config,
                                          json::object& status) {
  CO_TRY(const auto in_namespace, agent_namespace(*addon, config, install_namespace_));
  set_supported_configs(status);
  set_registrations(status, signer_.organizational_unit());
  status["namespace"] = in_namespace;

  const auto now = hub_.clock().wall_now();
  const auto subjects = agent_subjects(json::object{{"status", status}});
  if (subjects.empty()) {
    set_condition(
        status,
        {"RegistrationApplied", false, "PermissionConfigPending", "registration subject not ready"},
        now);
    co_return kube::Result<void>{};
  }
  if (const auto granted = co_await grant(*addon, subjects); !granted) {
    set_condition(status,
                  {"RegistrationApplied", false, "SetPermissionFailed",
                   "Failed to set permission for hub agent: " + granted.error().message},
                  now);
    co_return std::unexpected(granted.error());
  }
  set_condition(status,
                {"RegistrationApplied", true, "SetPermissionApplied",
                 "Registration of the addon agent is configured"},
                now);
  co_return kube::Result<void>{};
}

kube::Task<void> AgentRegistration::grant(const json::object& addon, const json::array& subjects) {
  using namespace async::asio::experimental::awaitable_operators;
  const HubRbacOptions options{.token_review = hub_.cluster_roles.has_value()};
  ObjectPtr shared;
  if (options.token_review) {
    shared = hub_.cluster_role_bindings->get({"", std::string(kTokenReviewRole)});
  }
  auto wanted = hub_rbac(addon, subjects, options, shared.get());
  // A binding needs its role; the pairs of a role and a binding need nothing of each other.
  const std::span<json::object> all(wanted);
  auto [own, everywhere] =
      co_await (ensure_in_order(all.first(2)) && ensure_in_order(all.subspan(2)));
  CO_TRY_VOID(std::move(own));
  co_return everywhere;
}

kube::Task<void> AgentRegistration::ensure_in_order(std::span<json::object> wanted) {
  for (auto& object : wanted) CO_TRY_VOID(co_await ensure(std::move(object)));
  co_return kube::Result<void>{};
}

kube::Task<void> AgentRegistration::ensure(json::object wanted) {
  auto& kind = kind_of(wanted);
  const auto key = controller::key_of(wanted);
  const auto live = kind.get(key);
  if (live && needs_recreation(*live, wanted)) {
    CO_TRY_VOID(co_await kind.writer.remove(
        key, std::string(kube::text_at(kube::object_at(*live, "metadata"), "uid"))));
  } else if (live) {
    if (!rbac_differs(*live, wanted) && has_owners(*live, wanted)) co_return kube::Result<void>{};
    CO_TRY_VOID(co_await kind.writer.update(with_rules_of(*live, wanted)));
    co_return kube::Result<void>{};
  }
  const auto made = co_await kind.writer.create(std::move(wanted));
  if (!made && !made.error().is_already_exists()) co_return std::unexpected(made.error());
  co_return kube::Result<void>{};
}

CachedKind& AgentRegistration::kind_of(const json::object& object) {
  const auto kind = kube::text_at(object, "kind");
  if (kind == "Role") return hub_.agent_roles;
  if (kind == "RoleBinding") return hub_.agent_role_bindings;
  if (kind == "ClusterRole") return *hub_.cluster_roles;
  CHECK(kind == "ClusterRoleBinding");
  return *hub_.cluster_role_bindings;
}

}  // namespace addon
