#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/canonical_json.h"

namespace addon {

/// How agents reach the proxy servers.
enum class EntrypointType { hostname, load_balancer_service, port_forward };

struct Entrypoint {
  std::optional<EntrypointType> type;  // nothing = missing or unknown
  std::string type_text;
  std::string hostname;
  bool has_load_balancer = false;  // spec.proxyServer.entrypoint.loadBalancerService is there
  std::string load_balancer_name;
  std::vector<std::pair<std::string, std::string>> load_balancer_annotations;
  std::int64_t port = 0;  // 0 = the agent port, 8091

  bool is(EntrypointType wanted) const { return type == wanted; }
};

/// The names of the Secrets that hold the proxy servers' certificates.
struct CertificateSecrets {
  std::string proxy_server;
  std::string proxy_client;
  std::string agent_server;
};

/// A ManagedProxyConfiguration as read: defaults of its schema are filled in where the schema would
/// (inside objects that are there), nothing is judged. validate() judges.
struct ProxyConfiguration {
  std::string name;
  std::string uid;
  std::int64_t generation = 0;

  std::vector<std::string> additional_sans;
  CertificateSecrets secrets;

  struct Server {
    std::string image;
    std::int64_t replicas = 3;
    std::string service_name;
    std::string in_namespace;
    std::optional<Entrypoint> entrypoint;
    std::vector<std::string> additional_args;
    json::object node_selector;
    json::array tolerations;
  } server;

  struct Agent {
    std::string image;
    std::int64_t replicas = 3;
    std::vector<std::string> additional_args;
    std::vector<std::string> additional_service_proxy_args;
    std::vector<std::string> image_pull_secrets;
    std::string service_ca_config_map;
  } agent;

  struct UserServer {
    std::vector<std::string> additional_sans;
  };
  std::optional<UserServer> user_server;  // there: its certificate is managed
};

ProxyConfiguration read_proxy_configuration(const json::object& object);

/// Everything that keeps the configuration from working, each as "spec.field.path: what is wrong;
/// the way out". Empty = fine. With any entry nothing may be derived from the configuration: the
/// functions of this library require a valid one.
std::vector<std::string> validate(const ProxyConfiguration& configuration);

/// The port that agents dial.
std::int64_t entrypoint_port(const ProxyConfiguration& configuration);

/// The owner reference by which objects made for a configuration go with it. `controller` stays
/// unset.
json::object owner_reference(const ProxyConfiguration& configuration);

}  // namespace addon
