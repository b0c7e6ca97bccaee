#include "addon/proxy_server.h"

#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "addon/hashes.h"
#include "addon/health_port.h"
#include "addon/manifest.h"
#include "addon/names.h"
#include "addon/object.h"
#include "http/base64.h"

namespace addon {
namespace {

constexpr HealthFlags kHealth{
    .address = "health-bind-address", .port = "health-port", .usual_port = kHealthPort};

json::array server_args(const ProxyServerInputs& inputs) {
  const auto& server = inputs.configuration.server;
  std::vector<std::string> args = {fmt::format("--server-count={}", server.replicas),
                                   "--proxy-strategies=destHost",
                                   "--server-ca-cert=/etc/server-ca-pki/ca.crt",
                                   "--server-cert=/etc/server-pki/tls.crt",
                                   "--server-key=/etc/server-pki/tls.key",
                                   "--cluster-ca-cert=/etc/server-ca-pki/ca.crt",
                                   "--cluster-cert=/etc/agent-pki/tls.crt",
                                   "--cluster-key=/etc/agent-pki/tls.key"};
  args.insert(args.end(), server.additional_args.begin(), server.additional_args.end());
  if (!inputs.tls.cipher_suites.empty()) {
    args.push_back(fmt::format("--cipher-suites={}", fmt::join(inputs.tls.cipher_suites, ",")));
  }
  // Last, so that the administrator's profile wins over additionalArgs.
  args.push_back(fmt::format("--tls-min-version={}", inputs.tls.minimum_version));
  return texts(args);
}

json::object deployment(const ProxyServerInputs& inputs) {
  const auto& configuration = inputs.configuration;
  return manifest("server/deployment",
                  {{"name", configuration.name},
                   {"namespace", configuration.server.in_namespace},
                   {"replicas", configuration.server.replicas},
                   {"nodeSelector", unless_empty(configuration.server.node_selector)},
                   {"tolerations", unless_empty(configuration.server.tolerations)},
                   {"image", configuration.server.image},
                   {"imagePullPolicy", inputs.image_pull_policy},
                   {"args", server_args(inputs)},
                   {"proxyServerSecret", configuration.secrets.proxy_server},
                   {"agentServerSecret", configuration.secrets.agent_server}});
}

json::object service(const ProxyConfiguration& configuration, std::string_view name,
                     std::string_view type) {
  return manifest(
      "server/service",
      {{"name", name}, {"namespace", configuration.server.in_namespace}, {"type", type}});
}

void annotate(json::object& object, std::string_view key, std::string_view value) {
  put(make_object(make_object(object, "metadata"), "annotations"), key, json::value(value));
}

/// Owner, generation and rendered hash.
void stamp(json::object& object, const ProxyConfiguration& configuration) {
  make_object(object, "metadata")["ownerReferences"] = json::array{owner_reference(configuration)};
  annotate(object, kGenerationAnnotation, std::to_string(configuration.generation));
  annotate(object, kRenderedHashAnnotation, spec_hash(object));
}

void stamp_deployment(json::object& object, const ProxyServerInputs& inputs) {
  put(make_object(make_object(object, "metadata"), "labels"), kGenerationAnnotation,
      json::value(std::to_string(inputs.configuration.generation)));
  annotate(object, kTlsHashAnnotation, tls_config_hash(inputs.tls));
}

void put_all(json::object& into, const json::object& members) {
  for (const auto& member : members) into[member.key()] = member.value();
}

/// Our differences from the reference's Deployment.
void improve(json::object& object, const ProxyConfiguration& configuration) {
  auto& spec = make_object(object, "spec");
  put_all(spec, manifest("server/rolling_update", {}));
  auto& pod = make_object(make_object(spec, "template"), "spec");
  put_all(pod, manifest("server/pod", {}));
  auto& container = make_array(pod, "containers")[0].as_object();
  put_all(container, manifest("server/container", {}));
  auto& args = make_array(container, "args");
  if (flag_value(configuration.server.additional_args, "graceful-shutdown-timeout").empty()) {
    args.emplace_back("--graceful-shutdown-timeout=20s");
  }
  const auto port = health_port(configuration.server.additional_args, kHealth);
  if (port) put_all(container, manifest("server/probes", {{"healthPort", *port}}));
}

void keep_members(json::object& into, const json::object& live, std::string_view name) {
  json::object kept = object_at(live, name);
  put_all(kept, object_at(into, name));
  if (!kept.empty()) put(into, name, std::move(kept));
}

bool owns(const json::array& owners, const json::value& owner) {
  const auto uid = text_at(owner.as_object(), "uid");
  return std::ranges::any_of(owners, [&](const json::value& each) {
    return each.is_object() && text_at(each.get_object(), "uid") == uid;
  });
}

void keep_owners(json::object& into, const json::object& live) {
  json::array owners = array_at(live, "ownerReferences");
  for (const auto& owner : array_at(into, "ownerReferences")) {
    if (!owns(owners, owner)) owners.push_back(owner);
  }
  if (!owners.empty()) into["ownerReferences"] = std::move(owners);
}

void keep(json::object& into, const json::object& live, std::string_view name) {
  if (has(live, name)) put(into, name, live.at(json::string_view(name.data(), name.size())));
}

bool is_older(std::string_view recorded, std::string_view wanted) {
  std::int64_t was = 0;
  std::int64_t is = 0;
  const auto* end = recorded.data() + recorded.size();
  const auto read = std::from_chars(recorded.data(), end, was);
  std::from_chars(wanted.data(), wanted.data() + wanted.size(), is);
  return read.ec != std::errc() || read.ptr != end || is > was;
}

}  // namespace

json::object load_balancer_service(const ProxyConfiguration& configuration) {
  const auto& entrypoint = *configuration.server.entrypoint;
  auto object = service(configuration, entrypoint.load_balancer_name, "LoadBalancer");
  for (const auto& [key, value] : entrypoint.load_balancer_annotations) {
    annotate(object, key, value);
  }
  return object;
}

std::optional<json::object> load_balancer_update(const json::object& live,
                                                 const ProxyConfiguration& configuration) {
  json::object updated = live;
  for (const auto& [key, value] : configuration.server.entrypoint->load_balancer_annotations) {
    annotate(updated, key, value);
  }
  return updated == live ? std::nullopt : std::optional(std::move(updated));
}

std::optional<std::string> load_balancer_address(const json::object& service) {
  for (const auto& each :
       array_at(object_at(object_at(service, "status"), "loadBalancer"), "ingress")) {
    if (!each.is_object()) continue;
    const auto ip = text_at(each.get_object(), "ip");
    const auto address = ip.empty() ? text_at(each.get_object(), "hostname") : ip;
    if (!address.empty()) return std::string(address);
  }
  return std::nullopt;
}

std::vector<json::object> reference_proxy_server_objects(const ProxyServerInputs& inputs) {
  const auto& configuration = inputs.configuration;
  const json::object place = {{"namespace", configuration.server.in_namespace}};
  std::vector<json::object> objects;
  objects.push_back(manifest("server/service_account", place));
  objects.push_back(service(configuration, configuration.server.service_name, "ClusterIP"));
  objects.push_back(manifest("server/ca_secret", {{"namespace", configuration.server.in_namespace},
                                                  {"ca", http::base64_encode(inputs.ca_pem)}}));
  objects.push_back(deployment(inputs));
  stamp_deployment(objects.back(), inputs);
  objects.push_back(manifest("server/role", place));
  objects.push_back(manifest("server/role_binding", place));
  for (auto& object : objects) stamp(object, configuration);
  return objects;
}

std::vector<DesiredObject> proxy_server_objects(const ProxyServerInputs& inputs) {
  std::vector<DesiredObject> desired;
  for (auto& object : reference_proxy_server_objects(inputs)) {
    const auto kind = text_at(object, "kind");
    const auto policy = kind == "ServiceAccount" ? Policy::create_only : Policy::update;
    if (kind == "Deployment") improve(object, inputs.configuration);
    if (kind == "Role") put_all(object, manifest("server/port_forward_rules", {}));
    if (kind == "Deployment" || kind == "Role") stamp(object, inputs.configuration);
    desired.push_back({.object = std::move(object), .policy = policy});
  }
  return desired;
}

bool needs_update(const json::object& live, const DesiredObject& desired) {
  if (desired.policy == Policy::create_only) return false;
  const auto differs = [&](std::string_view key) {
    return annotation_of(live, key) != annotation_of(desired.object, key);
  };
  const auto& owners = array_at(object_at(live, "metadata"), "ownerReferences");
  const auto& wanted = array_at(object_at(desired.object, "metadata"), "ownerReferences");
  return is_older(annotation_of(live, kGenerationAnnotation),
                  annotation_of(desired.object, kGenerationAnnotation)) ||
         differs(kTlsHashAnnotation) || differs(kRenderedHashAnnotation) ||
         !std::ranges::all_of(wanted, [&](const auto& owner) { return owns(owners, owner); });
}

json::object merged(const json::object& live, const json::object& desired) {
  json::object result = desired;
  auto& metadata = make_object(result, "metadata");
  const auto& was = object_at(live, "metadata");
  keep_members(metadata, was, "labels");
  keep_members(metadata, was, "annotations");
  keep_owners(metadata, was);
  for (const auto* name : {"resourceVersion", "finalizers"}) keep(metadata, was, name);
  if (text_at(desired, "kind") != "Service") return result;
  auto& spec = make_object(result, "spec");
  for (const auto* name : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}) {
    keep(spec, object_at(live, "spec"), name);
  }
  return result;
}

}  // namespace addon
