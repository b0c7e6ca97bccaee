#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/canonical_json.h"
#include "base/result.h"

namespace addon {

/// An AddOnDeploymentConfig as read. What is absent and what is empty differ where the chart cares.
struct DeploymentConfig {
  std::vector<std::pair<std::string, std::string>> variables;

  struct NodePlacement {
    json::object node_selector;
    json::array tolerations;
  };
  std::optional<NodePlacement> node_placement;

  struct Proxy {
    std::string http_proxy;
    std::string https_proxy;
    std::string no_proxy;
    std::string ca_bundle;  // PEM
  };
  std::optional<Proxy> proxy;

  struct Resources {
    std::string container_id;  // "<kind plural>:<name>:<container>", a part may be "*"
    json::object resources;
  };
  std::vector<Resources> resources;

  std::string install_namespace;
};

/// Fails on a caBundle that is not base64 and on a containerID without three parts.
base::Result<DeploymentConfig> read_deployment_config(const json::object& object);

/// Whether the pattern of a containerID covers the container: "*" stands for at least one
/// character.
bool covers(std::string_view container_id, std::string_view container);

}  // namespace addon
