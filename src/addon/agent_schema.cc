// The rules for the values of the agent's chart. Only AddOnDeploymentConfig variables, which are
// always text, can break them.
#include <array>

#include <fmt/format.h>

#include "addon/agent_manifests.h"
#include "addon/object.h"
#include "http/base64.h"

namespace addon {
namespace {

struct Rule {
  std::string_view value;
  std::string_view kind;
};

/// Values that are not text, or not only. All others may be text.
constexpr std::array<Rule, 12> kRules = {{
    {"additionalProxyAgentArgs", "array"},
    {"additionalServiceProxyArgs", "array"},
    {"addonAgentArgs", "array"},
    {"agentDeploymentAnnotations", "object"},
    {"global", "object"},
    {"includeNamespaceCreation", "boolean"},
    {"networkPolicies", "object"},
    {"nodeSelector", "object"},
    {"proxyAgentImagePullSecrets", "array"},
    {"proxyConfig", "object"},
    {"servicesToExpose", "array"},
    {"tolerations", "array"},
}};

std::string_view kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "boolean";
    case json::kind::string:
      return "string";
    case json::kind::array:
      return "array";
    case json::kind::object:
      return "object";
    default:
      return "number";
  }
}

/// Parts between commas, none empty; or nothing at all.
bool is_name_list(std::string_view text) {
  if (text.empty()) return true;
  return !text.starts_with(',') && !text.ends_with(',') && !text.contains(",,");
}

void check_prefixes(const json::object& values, std::vector<std::string>& problems) {
  constexpr std::string_view kName = "oidcReservedNamePrefixes";
  const auto* value = values.if_contains(json::string_view(kName.data(), kName.size()));
  if (value == nullptr || !value->is_string() || is_name_list(value->get_string())) return;
  problems.push_back(
      fmt::format("at '/{0}': 'oneOf' failed, none matched\n  - at '/{0}': got string, want array\n"
                  "  - at '/{0}': '{1}' does not match pattern '^(|[^,]+(,[^,]+)*)$'",
                  kName, std::string_view(value->get_string())));
}

}  // namespace

std::vector<std::string> schema_problems(const json::object& values) {
  std::vector<std::string> problems;
  for (const auto& [name, kind] : kRules) {
    const auto* value = values.if_contains(json::string_view(name.data(), name.size()));
    if (value == nullptr || value->is_null() || kind_of(*value) == kind) continue;
    problems.push_back(fmt::format("at '/{}': got {}, want {}", name, kind_of(*value), kind));
  }
  check_prefixes(values, problems);
  return problems;
}

}  // namespace addon
