#pragma once

#include <optional>
#include <string>
#include <vector>

#include "addon/proxy_configuration.h"
#include "addon/tls_profile.h"

/// What the hub runs for a ManagedProxyConfiguration. All functions need a valid configuration.
namespace addon {

/// The Service of type LoadBalancer in front of the proxy servers, for an entrypoint of that type:
/// to be created when there is none.
json::object load_balancer_service(const ProxyConfiguration& configuration);
/// `live` with the configured annotations, to PUT; nothing when it has them. All else is the
/// cloud's and the administrator's.
std::optional<json::object> load_balancer_update(const json::object& live,
                                                 const ProxyConfiguration& configuration);

/// The address agents can reach a Service of type LoadBalancer at: the first ingress' IP, else its
/// host name (as AWS gives it); nothing while the cloud has not provided one.
std::optional<std::string> load_balancer_address(const json::object& service);

struct ProxyServerInputs {
  const ProxyConfiguration& configuration;
  const TlsProfile& tls;
  std::string ca_pem;             // of the signer
  std::string image_pull_policy;  // of the server's container
};

/// What happens to an object that is there already.
enum class Policy {
  create_only,  // belongs to somebody else too; never changed
  update,       // brought to the wanted state, see needs_update()
};

struct DesiredObject {
  json::object object;
  Policy policy = Policy::update;
};

/// ServiceAccount, Service, Secret, Deployment, Role, RoleBinding, in the order to apply them, with
/// owner, configuration generation and rendered hash.
std::vector<DesiredObject> proxy_server_objects(const ProxyServerInputs& inputs);

/// The six objects exactly as the Go manager makes them: proxy_server_objects() is this list plus
/// our differences (docs/addon-differences.yaml).
std::vector<json::object> reference_proxy_server_objects(const ProxyServerInputs& inputs);

/// Whether `live` has to be replaced: the configuration is newer than the generation recorded in
/// it, or the rendered or TLS hash differs, or an owner reference of ours is gone. A recorded
/// generation that is no number counts as old.
bool needs_update(const json::object& live, const DesiredObject& desired);

/// The object to PUT: `desired`, with resourceVersion, the labels, annotations, owner references
/// and finalizers that others put on `live`, and the immutable addresses of a Service.
json::object merged(const json::object& live, const json::object& desired);

}  // namespace addon
