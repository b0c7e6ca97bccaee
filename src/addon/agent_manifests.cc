#include "addon/agent_manifests.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "addon/agent_deployment.h"
#include "addon/manifest.h"
#include "addon/names.h"
#include "addon/object.h"
#include "addon/service_proxy_args.h"
#include "http/base64.h"

namespace addon {
namespace {

using base::Code;
using base::fail;
using base::Result;

constexpr std::string_view kFix =
    "correct it in the customizedVariables of the AddOnDeploymentConfig or in the "
    "ManagedProxyConfiguration";

/// What the chart gives to values that are absent. A null takes even that away.
json::object with_defaults(const json::object& values) {
  json::object all = values;
  const json::object defaults = {
      {"enableImpersonation", "true"},
      {"oidcReservedNamePrefixes", json::array{"system:"}},
      {"tolerations",
       {{{"key", "dedicated"}, {"operator", "Equal"}, {"value", "infra"}, {"effect", "NoSchedule"}},
        {{"key", "node-role.kubernetes.io/infra"},
         {"operator", "Exists"},
         {"effect", "NoSchedule"}}}}};
  for (const auto& each : defaults) all.emplace(each.key(), each.value());
  return all;
}

Result<void> check_schema(const json::object& values) {
  const auto problems = schema_problems(values);
  if (problems.empty()) return {};
  return fail(Code::invalid,
              fmt::format("values don't meet the specifications of the schema(s) in the following "
                          "chart(s):\ncluster-proxy-agent-only:\n- {}\n",
                          fmt::join(problems, "\n- ")));
}

/// A host name, an IP address, or a domain. Everything else would only break on the managed
/// cluster.
Result<void> check_host(const json::object& values, std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(".-_:[]").contains(c);
  };
  const auto text = text_at(values, name);
  if (!text.empty() && std::ranges::all_of(text, good)) return {};
  return fail(Code::invalid,
              fmt::format("value {}: \"{}\" is no host name or IP address; {}", name, text, kFix));
}

/// A value that may come as text from a variable.
Result<std::int64_t> number(const json::object& values, std::string_view name,
                            std::int64_t largest) {
  auto value = integer_at(values, name);
  if (!value) {
    const auto text = text_at(values, name);
    std::int64_t read = 0;
    const auto* end = text.data() + text.size();
    if (std::from_chars(text.data(), end, read).ptr == end && !text.empty()) value = read;
  }
  if (value && *value >= 0 && *value <= largest) return *value;
  return fail(Code::invalid,
              fmt::format("value {}: not a number from 0 to {}; {}", name, largest, kFix));
}

Result<json::value> base64_text(const json::object& values, std::string_view name) {
  const auto text = text_at(values, name);
  if (http::base64_decode(text)) return json::value(text);
  return fail(Code::invalid, fmt::format("value {}: not base64; {}", name, kFix));
}

struct SecretSource {
  std::string_view secret;
  std::string_view certificate;  // names of values
  std::string_view key;
};

Result<json::object> tls_secret(const json::object& values, const SecretSource& source) {
  TRY(auto certificate, base64_text(values, source.certificate));
  TRY(auto key, base64_text(values, source.key));
  return manifest("agent/secret", {{"name", source.secret},
                                   {"namespace", text_at(values, "addonInstallNamespace")},
                                   {"data", {{"tls.crt", certificate}, {"tls.key", key}}}});
}

/// Builds the objects in helm's order of installation.
class Builder {
 public:
  explicit Builder(const json::object& values)
      : values_(values), namespace_(text_at(values, "addonInstallNamespace")) {}

  Result<std::vector<json::object>> build() {
    if (is_truthy(values_, "includeNamespaceCreation")) add("agent/namespace");
    TRY_VOID(add_network_policy());
    add("agent/service_account");
    TRY_VOID(add_secrets());
    add_cluster_rbac();
    add("agent/role");
    add("agent/role_binding");
    TRY_VOID(add_services());
    TRY(auto deployment, agent_deployment(values_, replicas_));
    objects_.push_back(std::move(deployment));
    return std::move(objects_);
  }

  Result<void> read_numbers() {
    TRY(replicas_, number(values_, "replicas", 2147483647));
    TRY(entrypoint_port_, number(values_, "serviceEntryPointPort", 65535));
    return check_host(values_, "serviceEntryPoint");
  }

 private:
  void add(std::string_view name, json::object variables = {}) {
    variables["namespace"] = namespace_;
    objects_.push_back(manifest(name, variables));
  }

  Result<void> add_network_policy() {
    if (!is_truthy(object_at(values_, "networkPolicies"), "enabled")) return {};
    const bool all = is_truthy(values_, "enableServiceProxy");
    add("agent/network_policy", {{"entrypointPort", entrypoint_port_},
                                 {"anywhere", all ? json::value(json::object()) : json::value()}});
    return {};
  }

  Result<void> add_secrets() {
    TRY(auto ca, base64_text(values_, "base64EncodedCAData"));
    add("agent/secret", {{"name", "cluster-proxy-ca"}, {"data", {{"ca.crt", ca}}}});
    if (is_truthy(values_, "enableServiceProxy")) {
      TRY(auto secret,
          tls_secret(values_, {.secret = "cluster-proxy-service-proxy-server-certificates",
                               .certificate = "serviceProxySecretCert",
                               .key = "serviceProxySecretKey"}));
      objects_.push_back(std::move(secret));
    }
    if (!is_truthy(values_, "includeStaticProxyAgentSecret")) return {};
    TRY(auto secret, tls_secret(values_, {.secret = kAgentCertificateSecret,
                                          .certificate = "staticProxyAgentSecretCert",
                                          .key = "staticProxyAgentSecretKey"}));
    objects_.push_back(std::move(secret));
    return {};
  }

  void add_cluster_rbac() {
    const bool impersonates =
        is_truthy(values_, "enableServiceProxy") && needs_impersonation(values_);
    add("agent/cluster_role",
        {{"impersonation",
          impersonates ? json::value(manifest("agent/impersonation_rule", {})) : json::value()}});
    std::string name = "cluster-proxy-addon-agent-impersonator";
    if (namespace_ != kFrameworkAgentNamespace) name += ":" + namespace_;
    add("agent/cluster_role_binding", {{"name", name}});
  }

  Result<void> add_services() {
    TRY_VOID(check_host(values_, "serviceDomain"));
    const auto domain = text_at(values_, "serviceDomain");
    if (is_truthy(values_, "enableKubeApiProxy")) {
      add("agent/external_service", {{"name", text_at(values_, "clusterName")},
                                     {"target", "kubernetes.default"},
                                     {"domain", domain}});
    }
    for (const auto& each : array_at(values_, "servicesToExpose")) {
      if (!each.is_object()) continue;
      add("agent/external_service", {{"name", text_at(each.get_object(), "host")},
                                     {"target", text_at(each.get_object(), "externalName")},
                                     {"domain", domain}});
    }
    return {};
  }

  const json::object& values_;
  std::string namespace_;
  std::int64_t replicas_ = 0;
  std::int64_t entrypoint_port_ = 0;
  std::vector<json::object> objects_;
};

}  // namespace

Result<std::vector<json::object>> agent_manifests(const json::object& values) {
  const auto all = with_defaults(values);
  TRY_VOID(check_schema(all));
  Builder builder(all);
  TRY_VOID(builder.read_numbers());
  return builder.build();
}

}  // namespace addon
