#include "addon/config_lookup.h"

#include "addon/names.h"

namespace addon {

ConfigLookup config_lookup(const Hub& hub) {
  return [&hub](const ConfigName& name) -> const json::object* {
    const bool is_ours = name.group == kProxyGroup && name.resource == kConfigurationResource;
    const bool is_deployment =
        name.group == kAddonGroup && name.resource == kDeploymentConfigResource;
    if (!is_ours && !is_deployment) return nullptr;
    const auto& kind = is_ours ? hub.configurations : hub.deployment_configs;
    return kind.get({name.in_namespace, name.name}).get();
  };
}

}  // namespace addon
